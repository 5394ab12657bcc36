"""The clinic of configs/, on a fixed Monday morning before it opens."""

from datetime import date, datetime

import pytest

from agent.clinic.clinic import Clinic
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import ClinicFacts, load_facts
from agent.settings import ROOT

MONDAY = datetime(2026, 11, 23, 7, 0)


@pytest.fixture(scope="session")
def facts() -> ClinicFacts:
    return load_facts(ROOT / "configs" / "clinic.yaml")


@pytest.fixture
def clinic(facts: ClinicFacts) -> Clinic:
    return demo_clinic(facts, now=lambda: MONDAY)


@pytest.fixture
def today() -> date:
    return MONDAY.date()
