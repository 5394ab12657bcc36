"""Prompts and stock phrases under configs/prompts, filled with the clinic's facts.

A prompt depends on the files alone: no clock, nothing about the call, so that every call has the same prefix.
"""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from pydantic import BaseModel, ConfigDict

from agent.clinic.facts import ClinicFacts, read_config
from agent.errors import ConfigError
from agent.settings import ROOT
from agent.speech.normalizer import make_speakable

PROMPTS = ROOT / "configs" / "prompts"


class Phrases(BaseModel):
    """What the agent says without asking the language model."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    not_heard: str
    """When the caller's speech was unintelligible."""
    technical_apology: str
    """When an engine failed and the call goes on."""
    technical_goodbye: str
    """When an engine failed and the call must end."""


def front_desk_prompt(facts: ClinicFacts, *, file: str = "front_desk.md", directory: Path = PROMPTS) -> str:
    """The system prompt of the front desk."""
    return _fill(directory / file, facts)


def greeting(facts: ClinicFacts, *, directory: Path = PROMPTS) -> str:
    """The first thing a caller hears."""
    return _fill(directory / "greeting.txt", facts)


def summary_prompt(facts: ClinicFacts, *, directory: Path = PROMPTS) -> str:
    """The instruction that turns a transcript into a summary."""
    return _fill(directory / "summary.md", facts)


def handoff_prompt(facts: ClinicFacts, *, directory: Path = PROMPTS) -> str:
    """The instruction that turns a transcript into a briefing for a colleague."""
    return _fill(directory / "handoff.md", facts)


def load_phrases(facts: ClinicFacts, *, directory: Path = PROMPTS) -> Phrases:
    """The stock phrases, with the clinic's facts in them."""
    path = directory / "phrases.yaml"
    phrases = read_config(path, Phrases)
    return Phrases(**{key: _substitute(text, path, facts) for key, text in phrases})


def prompt_facts(facts: ClinicFacts) -> dict[str, str]:
    """The facts that a template may use, in words: no digits reach the prompt."""
    hours = facts.hours
    values = {
        "name": facts.name,
        "address": facts.address,
        "weekdays": str(hours.weekdays or "closed"),
        "saturday": str(hours.saturday or "closed"),
        "sunday": str(hours.sunday or "closed"),
        "parking": facts.parking,
        "insurance": _listed(facts.insurance),
        "payment": _listed(facts.payment),
        "lab": facts.lab,
        "doctors": _listed([doctor.name for doctor in facts.doctors]),
    }
    return {key: make_speakable(value).rstrip(".") for key, value in values.items()}


def _fill(path: Path, facts: ClinicFacts) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise ConfigError(f"Cannot read {path}. Restore it from the repository or write a new one.") from None
    return _substitute(text.strip(), path, facts)


def _substitute(text: str, path: Path, facts: ClinicFacts) -> str:
    known = prompt_facts(facts)
    try:
        return Template(text).substitute(known)
    except KeyError as unknown:
        names = ", ".join(f"${name}" for name in known)
        raise ConfigError(f"{path}: ${unknown.args[0]} is not a fact of the clinic. Known facts: {names}.") from None
    except ValueError:
        raise ConfigError(f"{path}: a lone $ is not allowed. Write $$ for a dollar sign.") from None


def _listed(items: Sequence[str]) -> str:
    """'cards', 'cards and cash', 'Patel, Chen and Garcia'."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
