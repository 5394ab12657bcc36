"""How a reply's sound goes out: how much of it has arrived, and what the sink has of it. Pure.

A reply arrives frame by frame and is handed to a sink in segments: one, or one more each time it was held and goes on.
"""

from collections.abc import Mapping
from enum import Enum


class Arrival(Enum):
    """How much of a reply there is."""

    ARRIVING = "arriving"
    COMPLETE = "complete"
    CUT_ARRIVING = "cut_arriving"
    """It was cut short; the voice has not noticed yet."""
    CUT = "cut"

    @property
    def is_complete(self) -> bool:
        """Whether no more of it will come."""
        return self in (Arrival.COMPLETE, Arrival.CUT)

    @property
    def is_cut(self) -> bool:
        """Whether it was cut short."""
        return self in (Arrival.CUT_ARRIVING, Arrival.CUT)

    def completed(self) -> "Arrival":
        """No more of it will come."""
        return Arrival.CUT if self.is_cut else Arrival.COMPLETE

    def cut(self) -> "Arrival":
        """It is cut short."""
        return Arrival.CUT if self.is_complete else Arrival.CUT_ARRIVING


class Segment(Enum):
    """What the sink has of a reply."""

    NONE = "none"
    FEEDING = "feeding"
    """It is taking a frame, and may be waiting for room."""
    OPEN = "open"
    """It plays what it has; more may follow."""
    COMPLETE = "complete"
    """It plays what it has, and that is all."""
    RECALLED = "recalled"
    """It was told to drop what it has not played, and has not said yet how far it got."""


class Step(Enum):
    """What happens to a segment."""

    FEED = "feed"
    FED = "fed"
    FLUSH = "flush"
    RECALL = "recall"
    FINISHED = "finished"
    """The sink says how far it got: to the end, or to where it was stopped."""


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
"""A step that is not listed changes nothing."""


def step(segment: Segment, taken: Step) -> Segment:
    """What the sink has after this step."""
    return STEPS[segment].get(taken, segment)
