"""Rules that end turns with their numbers fixed: what the agent really does, and what LiveKit does out of the box."""

from collections.abc import Sequence

from livekit.agents.inference.eot.languages import LOCAL_LANGUAGES

from agent.policies.endpointing import EndpointingOptions, Judgement, turn_end_s
from agent.settings import load_settings
from scripts.turn_bench.eot_detectors import OURS, SMART_TURN, V1_MINI
from scripts.turn_bench.eot_metrics import SCORE_EVERY_S
from scripts.turn_bench.eot_report import Policy

FIRST_JUDGED_S = 0.2
"""By then the words of the pause have been recognised; the agent ends no turn without them."""
LIVEKIT_MIN_S, LIVEKIT_MAX_S = 0.3, 2.5
"""livekit-agents' endpointing delays with an audio end-of-turn model: the first if it takes the turn for over, else the second."""


def policies(detectors: Sequence[str]) -> list[Policy]:
    """Those whose detector is there."""
    graded = EndpointingOptions()
    demo = load_settings("demo").turns.endpointing
    found = [
        Policy("Callbox, as shipped", OURS, lambda scores: graded_end_s(graded, scores)),
        Policy("Callbox, as the demo profile has it", OURS, lambda scores: graded_end_s(demo, scores)),
        Policy("Smart Turn v3.2 in the same rule", SMART_TURN, lambda scores: graded_end_s(graded, scores)),
        Policy("LiveKit v1-mini, LiveKit's own rule", V1_MINI, livekit_end_s),
    ]
    return [policy for policy in found if policy.detector in detectors]


def graded_end_s(options: EndpointingOptions, scores: Sequence[float]) -> float:
    """When the agent ends a turn that was judged so after 0.1, 0.2 ... s of silence."""
    first = round(FIRST_JUDGED_S / SCORE_EVERY_S)
    judged = (
        Judgement(number * SCORE_EVERY_S, score) for number, score in enumerate(scores, start=1) if number >= first
    )
    return turn_end_s(options, judged)


def livekit_end_s(scores: Sequence[float]) -> float:
    """One judgement after 0.2 s against the model's own threshold."""
    place = round(FIRST_JUDGED_S / SCORE_EVERY_S) - 1
    is_over = len(scores) > place and scores[place] >= LOCAL_LANGUAGES["en"]
    return LIVEKIT_MIN_S if is_over else LIVEKIT_MAX_S
