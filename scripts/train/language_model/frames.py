"""What the two sides of a simulated call exchange besides words."""

from dataclasses import dataclass, field
from typing import Any

Slots = dict[str, Any]
"""Values by name: name, doctor, day, time, reason, from_day, to_day, medication, test."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The exact meaning of a caller's utterance."""

    act: str
    slots: Slots = field(default_factory=dict)
    kind: str = ""
    """The task, if the act is `intent`."""
    topic: str = ""
    """What is asked, if the act is `fact`."""
    wants_times: bool = False
    """Whether an `intent` asks for free times rather than for an appointment."""
    pick: int | None = None
    """Which of the alternatives, if the act is `choose` and no value was said."""


Utterance = tuple[str, Frame]
"""What a caller says and means."""


@dataclass(frozen=True, slots=True)
class Say:
    """The desk speaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """The desk calls a tool."""

    name: str
    arguments: dict[str, Any]


Move = Say | Call
"""What the desk does next."""
