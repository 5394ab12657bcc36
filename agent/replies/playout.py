"""The playout of a reply: how much of its audio has arrived, and what the sink holds. Pure.

A reply arrives frame by frame and is handed to a sink in segments: one, plus another each time it is paused and resumed.
"""

from collections.abc import Mapping
from enum import Enum


class Arrival(Enum):
    """How much of a reply has arrived."""

    ARRIVING = "arriving"
    COMPLETE = "complete"
    CUT_ARRIVING = "cut_arriving"
    """It was cut short, and frames may still arrive."""
    CUT = "cut"

    @property
    def is_complete(self) -> bool:
        """Whether no more frames will arrive."""
        return self in (Arrival.COMPLETE, Arrival.CUT)

    @property
    def is_cut(self) -> bool:
        """Whether it was cut short."""
        return self in (Arrival.CUT_ARRIVING, Arrival.CUT)

    def completed(self) -> "Arrival":
        """The state once no more frames will arrive."""
        return Arrival.CUT if self.is_cut else Arrival.COMPLETE

    def cut(self) -> "Arrival":
        """The state once the reply is cut short."""
        return Arrival.CUT if self.is_complete else Arrival.CUT_ARRIVING


class Segment(Enum):
    """What the sink holds of a reply."""

    NONE = "none"
    FEEDING = "feeding"
    """It is taking a frame, perhaps waiting for room in its queue."""
    OPEN = "open"
    """It plays what it has; more may follow."""
    COMPLETE = "complete"
    """It plays what it has, and that is all."""
    RECALLED = "recalled"
    """It was asked to drop what it has not played, and has not reported yet how far it got."""


class Step(Enum):
    """A step in the life of a segment."""

    FEED = "feed"
    FED = "fed"
    FLUSH = "flush"
    RECALL = "recall"
    FINISHED = "finished"
    """The sink reports how far it played: to the end, or to where it was stopped."""


STEPS: Mapping[Segment, Mapping[Step, Segment]] = {
    Segment.NONE: {Step.FEED: Segment.FEEDING},
    Segment.FEEDING: {Step.FED: Segment.OPEN, Step.FLUSH: Segment.COMPLETE, Step.FINISHED: Segment.NONE},
    Segment.OPEN: {
        Step.FEED: Segment.FEEDING,
        Step.FLUSH: Segment.COMPLETE,
        Step.RECALL: Segment.RECALLED,
        Step.FINISHED: Segment.NONE,
    },
    Segment.COMPLETE: {Step.RECALL: Segment.RECALLED, Step.FINISHED: Segment.NONE},
    Segment.RECALLED: {Step.FINISHED: Segment.NONE},
}
"""Transitions. A step that is not listed changes nothing."""


def step(segment: Segment, taken: Step) -> Segment:
    """What the sink holds after this step."""
    return STEPS[segment].get(taken, segment)
