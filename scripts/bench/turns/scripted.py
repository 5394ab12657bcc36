"""The turns that callers speak in the end-of-turn bench, read from turns.yaml."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from serving.speech import Asked

TURNS = Path(__file__).with_name("turns.yaml")
_MARK = re.compile(r"\s*\{(\w+)\}\s*")


@dataclass(frozen=True, slots=True)
class ScriptedTurn:
    """What a caller says in one turn, and where they pause."""

    asked: Asked
    parts: tuple[str, ...]
    """The text between pauses, with punctuation."""
    kinds: tuple[str, ...]
    """The reason for each pause; one fewer than the parts."""

    @property
    def text(self) -> str:
        """The whole turn, with punctuation."""
        return " ".join(self.parts)

    @property
    def words(self) -> str:
        """The whole turn as a recogniser should write it."""
        return re.sub(r"[.,?]", "", self.text)

    @property
    def said(self) -> tuple[str, ...]:
        """The words up to each pause, and the whole turn."""
        bare = [re.sub(r"[.,?]", "", part) for part in self.parts]
        return tuple(" ".join(bare[: count + 1]) for count in range(len(bare)))


@dataclass(frozen=True, slots=True)
class ScriptedCaller:
    """The turns of one call."""

    name: str
    turns: tuple[ScriptedTurn, ...]


def read_callers(path: Path = TURNS) -> tuple[ScriptedCaller, ...]:
    """All callers in the file."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))["callers"]
    return tuple(
        ScriptedCaller(caller["name"], tuple(parse_turn(turn["asked"], turn["text"]) for turn in caller["turns"]))
        for caller in written
    )


def parse_turn(asked: str, text: str) -> ScriptedTurn:
    """Parse a turn: parts with {kind} between them. Raises ValueError for an unknown `asked`."""
    pieces = _MARK.split(text.strip())
    return ScriptedTurn(Asked(asked), tuple(pieces[0::2]), tuple(pieces[1::2]))
