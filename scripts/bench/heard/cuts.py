"""Where replies are cut: drawn from a seed, so that a run can be repeated. Pure."""

from enum import StrEnum
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

REPLIES = (
    "We open weekdays from eight thirty to six, and Saturday from nine to one.",
    "You can park behind the building, and it is free for everyone who comes to see us.",
    "Doctor Chen has a free appointment on Tuesday the fourth at half past ten in the morning.",
    "Please bring your insurance card, a list of the medicines you take, and your last letter from the hospital.",
    "I have booked you with Doctor Patel on Friday at two fifteen. Is there anything else I can do for you?",
    "The number of the pharmacy is five five five, zero one four two, and they are open until eight.",
    "Your refill was sent this morning. It should be ready for you to pick up after four o'clock today.",
    "I am sorry, I did not find an appointment under that name. Could you spell it for me, letter by letter?",
)
TOOL_REPLIES = (
    (
        "One moment please, I will send that to the pharmacy for you.",
        "It is on its way, and the pharmacy will call you when it is ready to pick up.",
    ),
    ("Let me see.", "I have sent the refill to your pharmacy. Is there anything else I can do for you today?"),
    (
        "Thank you, James. I am looking at your record now, and then I will ask for the refill.",
        "Done. It should be ready by tomorrow at noon.",
    ),
)
"""Said before and after a tool runs."""
WORD_S = 0.31
"""About how long a word takes, pauses included: spreads the cuts over a whole reply."""


class Kind(StrEnum):
    """What cuts a reply."""

    INTERRUPT = "interrupt"
    """The session's interrupt(), at any time."""
    FIRST_WORD = "first word"
    """The same, within the first 0.4 s."""
    PAUSE = "pause"
    """A pause some way into the reply, as noise causes one; later an interrupt()."""
    CALLER = "caller"
    """The caller barges in, and the recognised words cut the reply."""
    TOOL = "tool call"
    """An interrupt() before, during or after a tool call in the middle of the reply."""


class Cut(BaseModel):
    """One reply and how it is cut; times count from its first sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    text: str
    then: str = ""
    """Said after the tool has run; empty without a tool."""
    after_s: Annotated[float, Field(ge=0)]
    """When it is cut, not counting pauses; for CALLER, when the caller starts to speak."""
    pause_at_s: float = 0.0
    pause_s: float = 0.0
    """0 without a pause."""


class Plan(BaseModel):
    """One call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cuts: tuple[Cut, ...]


def draw(count: int, kind: Kind, random: np.random.Generator) -> list[Cut]:
    """This many cuts of a kind, spread evenly over the length of a reply."""
    return [_one(kind, REPLIES[int(random.integers(len(REPLIES)))], random) for _ in range(count)]


def _one(kind: Kind, text: str, random: np.random.Generator) -> Cut:
    if kind is Kind.TOOL:
        text, then = TOOL_REPLIES[int(random.integers(len(TOOL_REPLIES)))]
        length_s = (len(text.split()) + len(then.split())) * WORD_S
        return Cut(kind=kind, text=text, then=then, after_s=random.uniform(0.0, length_s))
    length_s = len(text.split()) * WORD_S
    if kind is Kind.FIRST_WORD:
        return Cut(kind=kind, text=text, after_s=random.uniform(0.0, 0.4))
    if kind is Kind.CALLER:
        return Cut(kind=kind, text=text, after_s=random.uniform(0.2, length_s * 0.6))
    after_s = random.uniform(0.0, length_s)
    if kind is Kind.PAUSE:
        pause_at_s = random.uniform(0.0, length_s * 0.8)
        after_s = random.uniform(pause_at_s, length_s)
        return Cut(kind=kind, text=text, after_s=after_s, pause_at_s=pause_at_s, pause_s=random.uniform(0.5, 1.0))
    return Cut(kind=kind, text=text, after_s=after_s)
