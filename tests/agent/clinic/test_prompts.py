"""Prompts and stock phrases."""

import shutil
from pathlib import Path

import pytest

from agent.clinic.facts import ClinicFacts
from agent.clinic.prompts import PROMPTS, front_desk_prompt, greeting, handoff_prompt, load_phrases, summary_prompt
from agent.errors import ConfigError
from agent.settings import ROOT
from agent.speech.normalizer import make_speakable

pytestmark = pytest.mark.unit

TRAINED = ROOT / "models" / "demo" / "language_model" / "prompts"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


def test_the_prompts_are_those_the_demo_model_learned(facts: ClinicFacts) -> None:
    assert front_desk_prompt(facts) == (TRAINED / "front_desk.md").read_text().strip()
    assert summary_prompt(facts) == (TRAINED / "summary.md").read_text().strip()
    assert handoff_prompt(facts) == (TRAINED / "handoff.md").read_text().strip()


def test_the_greeting_names_the_clinic(facts: ClinicFacts) -> None:
    assert greeting(facts) == "Hello, this is Riverside Clinic. How can I help you?"


def test_changed_facts_reach_the_prompt_as_words(facts: ClinicFacts) -> None:
    changes = {
        "address": "221 Baker St.",
        "insurance": ("Aetna",),
        "hours": facts.hours.model_copy(update={"saturday": None}),
    }
    prompt = front_desk_prompt(facts.model_copy(update=changes))
    assert "\nAddress: two hundred and twenty one Baker Street\n" in prompt
    assert "\nInsurance: Aetna\n" in prompt
    assert "\nSaturday: closed\n" in prompt
    assert not any(char.isdigit() for char in prompt)


def test_every_phrase_can_be_spoken_as_it_is(facts: ClinicFacts) -> None:
    for text in load_phrases(facts).model_dump().values():
        assert make_speakable(text) == text


def test_an_unknown_fact_in_a_template_is_rejected(facts: ClinicFacts, prompts: Path) -> None:
    (prompts / "greeting.txt").write_text("Hello, $nmae")
    with pytest.raises(ConfigError, match=r"greeting\.txt: \$nmae is not a fact"):
        greeting(facts, directory=prompts)
    (prompts / "greeting.txt").write_text("That is 5 $.")
    with pytest.raises(ConfigError, match=r"greeting\.txt: a lone \$"):
        greeting(facts, directory=prompts)


def test_a_missing_prompt_or_phrase_is_rejected_by_name(facts: ClinicFacts, prompts: Path) -> None:
    with pytest.raises(ConfigError, match=r"Cannot read .*other\.md"):
        front_desk_prompt(facts, file="other.md", directory=prompts)
    phrases = prompts / "phrases.yaml"
    phrases.write_text(phrases.read_text().replace("not_heard:", "not_herd:"))
    with pytest.raises(ConfigError, match="not_heard"):
        load_phrases(facts, directory=prompts)
