"""The playout of a reply as pure state transitions."""

import pytest

from agent.replies.playout import STEPS, Arrival, Segment, Step, step

pytestmark = pytest.mark.unit


def walk(*steps: Step) -> Segment:
    """What the sink holds after these steps."""
    segment = Segment.NONE
    for taken in steps:
        segment = step(segment, taken)
    return segment


@pytest.mark.parametrize(
    ("steps", "segment"),
    [
        pytest.param((Step.FEED,), Segment.FEEDING, id="taking a frame"),
        pytest.param((Step.FEED, Step.FED, Step.FEED, Step.FED), Segment.OPEN, id="fed"),
        pytest.param((Step.FEED, Step.FED, Step.FLUSH), Segment.COMPLETE, id="complete"),
        pytest.param((Step.FEED, Step.FED, Step.FLUSH, Step.FINISHED), Segment.NONE, id="played"),
        pytest.param((Step.FEED, Step.FED, Step.RECALL), Segment.RECALLED, id="held while more may follow"),
        pytest.param((Step.FEED, Step.FED, Step.FLUSH, Step.RECALL), Segment.RECALLED, id="held when complete"),
        pytest.param((Step.FEED, Step.RECALL), Segment.FEEDING, id="not recalled in the middle of a frame"),
        pytest.param((Step.FEED, Step.FLUSH, Step.FED), Segment.COMPLETE, id="cut while it took a frame"),
        pytest.param((Step.FEED, Step.FINISHED, Step.FED), Segment.NONE, id="stopped while it took a frame"),
        pytest.param((Step.FEED, Step.FED, Step.RECALL, Step.FEED), Segment.RECALLED, id="nothing goes in meanwhile"),
        pytest.param((Step.FEED, Step.FED, Step.RECALL, Step.FINISHED), Segment.NONE, id="taken back"),
    ],
)
def test_a_segment_goes_through_its_states(steps: tuple[Step, ...], segment: Segment) -> None:
    assert walk(*steps) is segment


def test_every_segment_can_finish_and_every_state_is_reached() -> None:
    assert set(STEPS) == set(Segment)
    assert {step(segment, Step.FINISHED) for segment in Segment} == {Segment.NONE}
    reached, new = set[Segment](), {Segment.NONE}
    while new:
        reached |= new
        new = {step(segment, taken) for segment in new for taken in Step} - reached
    assert reached == set(Segment)


@pytest.mark.parametrize(
    ("arrival", "is_complete", "is_cut"),
    [
        (Arrival.ARRIVING, False, False),
        (Arrival.ARRIVING.completed(), True, False),
        (Arrival.ARRIVING.cut(), False, True),
        (Arrival.ARRIVING.cut().completed(), True, True),
        (Arrival.ARRIVING.completed().cut(), True, True),
        (Arrival.CUT.cut().completed(), True, True),
    ],
)
def test_a_reply_may_be_cut_before_or_after_it_is_complete(arrival: Arrival, is_complete: bool, is_cut: bool) -> None:
    assert (arrival.is_complete, arrival.is_cut) == (is_complete, is_cut)
