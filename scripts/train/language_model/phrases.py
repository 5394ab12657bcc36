"""The phrases of both sides of a call, from phrases.yaml."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

Phrases = list[str]


def _phrases(block: str) -> Phrases:
    """One phrase per line; "-" is the empty phrase."""
    return ["" if line == "-" else line for line in block.splitlines()]


def _section(content: Mapping[str, Mapping[str, str]], name: str) -> dict[str, Phrases]:
    return {key: _phrases(block) for key, block in content[name].items()}


_CONTENT: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("phrases.yaml").read_text(encoding="utf-8"))

AGENT = _section(_CONTENT, "agent")
QUESTIONS = _section(_CONTENT, "questions")
CALLER = _section(_CONTENT, "caller")
FACT_QUESTIONS = _section(_CONTENT, "facts")
DIGRESSIONS = _section(_CONTENT, "digressions")
GARBLED_WORDS = " ".join(DIGRESSIONS.pop("garbled_words")).split()
MISHEARD: dict[str, str] = _CONTENT["misheard"]


def draw_each(phrases: Phrases, draws: Mapping[str, Callable[[], str]]) -> Phrases:
    """Every phrase with its {names} drawn, from left to right and from the first phrase to the last.

    All are drawn although only one will be said: a seed stands for that order of draws.
    """
    return [re.sub(r"\{(\w+)\}", lambda name: draws[name[1]](), phrase) for phrase in phrases]
