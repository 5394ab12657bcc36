"""What the caller wants and how they answer: rules for the agent's replies. Pure; a `Dialogue` is one YAML file.

    goal: {appointments: [{name: anna smith, doctor: chen}]}
    opening: i would like to book an appointment with doctor chen
    rules:
      - {when: full name, say: anna smith}
      - {when: . , barge_in_after_s: 1.0, say: wait stop hold on a second, times: 1}
      - {when: which day, backchannel: {after_s: 0.8, say: mm hmm}, say: tuesday}
      - {when: goodbye, hang_up: true}
    max_turns: 12

A rule applies to replies that match `when` (a regular expression, any case): the first rule that matches and has uses left is
used. With `barge_in_after_s` the line is said over the reply, with `backchannel` something is murmured meanwhile; both match
what has been said of the reply so far.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from scripts.caller.errors import CallerError, DialogueInvalid

DIALOGUES = Path(__file__).parent / "dialogues"
"""The dialogues that `make call` knows by name."""


class Backchannel(BaseModel):
    """A murmur while the agent speaks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after_s: float = Field(ge=0)
    """Seconds after the reply's first sound."""
    say: str = "mm hmm"
    """The line."""


class Rule(BaseModel):
    """A reaction to a reply of the agent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: str = "."
    """Regular expression searched for in the reply, any case."""
    say: str | None = None
    """The line to say; None only with `hang_up`."""
    barge_in_after_s: float | None = Field(default=None, ge=0)
    """Say the line over the reply, this long after its first sound, instead of after its end."""
    backchannel: Backchannel | None = None
    """Murmured during the reply."""
    hang_up: bool = False
    """End the call, after the line if there is one."""
    times: int = Field(default=3, ge=1)
    """How often the rule may be used in a call."""

    @field_validator("when")
    @classmethod
    def _compiles(cls, when: str) -> str:
        try:
            re.compile(when)
        except re.error as error:
            raise ValueError(f"{when!r} is not a regular expression: {error}") from error
        return when

    @model_validator(mode="after")
    def _does_something(self) -> "Rule":
        if self.say is None and not self.hang_up:
            raise ValueError("a rule needs 'say' or 'hang_up'")
        return self

    def matches(self, reply: str) -> bool:
        """Whether the rule applies to this reply."""
        return re.search(self.when, reply, re.IGNORECASE) is not None


class Dialogue(BaseModel):
    """A call from the caller's side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    """Stem of the file's name."""
    goal: dict[str, Any] = Field(default_factory=dict)
    """What must be true after the call: see scripts/caller/goal.py."""
    opening: str | None = None
    """The first line, said after the greeting; None lets the rules answer the greeting."""
    rules: list[Rule]
    """In order of precedence."""
    otherwise: str | None = "can you repeat that"
    """Said when no rule matches, at most twice in a row."""
    max_turns: int = Field(default=12, ge=1)
    """Number of lines after which the caller gives up."""

    def lines(self) -> list[str]:
        """Every line that the dialogue may need, in order, each once."""
        said = [self.opening, self.otherwise, *(r.say for r in self.rules)]
        said += [r.backchannel.say for r in self.rules if r.backchannel]
        return list(dict.fromkeys(line for line in said if line))


class Script:
    """A dialogue in progress: which rule applies, and how often each has been used."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self._used: Counter[int] = Counter()
        self._lost = 0

    def answer(self, reply: str) -> Rule | None:
        """The rule for a whole reply, counted as used; None if no rule matches for the third time in a row."""
        found = self._find(reply, over_reply=False)
        if found is not None:
            self._lost = 0
            self._used[found] += 1
            return self.dialogue.rules[found]
        self._lost += 1
        if self.dialogue.otherwise is None or self._lost > 2:
            return None
        return Rule(say=self.dialogue.otherwise)

    def interruption(self, reply_so_far: str, sounding_s: float) -> Rule | None:
        """The barge-in that is due after `sounding_s` seconds of a reply, counted as used."""
        found = self._find(reply_so_far, over_reply=True)
        if found is None:
            return None
        rule = self.dialogue.rules[found]
        if rule.barge_in_after_s is None or sounding_s < rule.barge_in_after_s:
            return None
        self._used[found] += 1
        return rule

    def backchannel(self, reply_so_far: str, sounding_s: float) -> Backchannel | None:
        """The murmur that is due after `sounding_s` seconds of a reply. To be said at most once per reply."""
        for index, rule in enumerate(self.dialogue.rules):
            murmur = rule.backchannel
            if murmur and murmur.after_s <= sounding_s and self._left(index) and rule.matches(reply_so_far):
                return murmur
        return None

    def _find(self, reply: str, *, over_reply: bool) -> int | None:
        for index, rule in enumerate(self.dialogue.rules):
            if (rule.barge_in_after_s is not None) == over_reply and self._left(index) and rule.matches(reply):
                return index
        return None

    def _left(self, index: int) -> bool:
        return self._used[index] < self.dialogue.rules[index].times


def load_dialogue(path: Path) -> Dialogue:
    """Read a dialogue file. Raises DialogueInvalid, naming the file and what is wrong in it."""
    try:
        content = yaml.safe_load(path.read_text())
        return Dialogue.model_validate({"name": path.stem} | content)
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise DialogueInvalid(f"{path}: {error}") from error


def find_dialogue(name: str) -> Dialogue:
    """A dialogue by path, or by name from DIALOGUES."""
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"}:
        path = DIALOGUES / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in DIALOGUES.glob("*.yaml")))
        raise CallerError(f"no dialogue {name!r}: give a file, or one of {known}")
    return load_dialogue(path)
