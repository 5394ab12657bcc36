"""Fixed rules for ending turns: the agent's own, and LiveKit's defaults."""

from collections.abc import Sequence
from functools import partial

from livekit.agents.inference.eot.languages import LOCAL_LANGUAGES

from agent.settings import load_settings
from agent.turns.endpointing import EndpointingOptions, Judgement, turn_end_s
from scripts.bench.turns.detectors import OURS, SMART_TURN, V1_MINI
from scripts.bench.turns.metrics import SCORE_EVERY_S
from scripts.bench.turns.report import Policy
from scripts.paths import NO_SITE

PROFILES = ("demo", "cpu", "gpu")
DETECTORS = {"callbox-turn": OURS, "smart-turn": SMART_TURN}
"""Detectors by the engines' names in the settings."""
AT_ONCE_S, WITH_WORDS_S = 0.1, 0.2
"""Silence at which a model that uses sound alone is first asked, and one that uses words, which have been recognised by then."""
LIVEKIT_MIN_S, LIVEKIT_MAX_S = 0.3, 2.5
"""livekit-agents' endpointing delays with an audio end-of-turn model: the first if the model says the turn is over."""


def policies(detectors: Sequence[str]) -> list[Policy]:
    """Our defaults, each profile as shipped, and LiveKit's rule; only those whose detector is among `detectors`."""
    found = [Policy("Callbox's model, default rule", OURS, partial(graded_end_s, EndpointingOptions()))]
    for profile in PROFILES:
        settings = load_settings(profile, site=NO_SITE)
        detector = DETECTORS.get(settings.engines.turn.engine, "") if settings.engines.turn else ""
        rule = partial(graded_end_s, settings.turns.endpointing)
        found.append(Policy(f"as shipped, profile {profile}: {detector}", detector, rule))
    found.append(Policy("LiveKit v1-mini, LiveKit's own rule", V1_MINI, livekit_end_s))
    return [policy for policy in found if policy.detector in detectors]


def graded_end_s(options: EndpointingOptions, scores: Sequence[float]) -> float:
    """When the agent ends a turn with these scores after 0.1, 0.2 ... s of silence."""
    first = round((WITH_WORDS_S if options.judges_words else AT_ONCE_S) / SCORE_EVERY_S)
    every = max(1, round(options.judge_every_s / SCORE_EVERY_S))
    judged = [Judgement((place + 1) * SCORE_EVERY_S, scores[place]) for place in range(first - 1, len(scores), every)]
    return turn_end_s(options, judged)


def livekit_end_s(scores: Sequence[float]) -> float:
    """When LiveKit ends it: one judgement after 0.2 s, against the model's own threshold."""
    place = round(WITH_WORDS_S / SCORE_EVERY_S) - 1
    is_over = len(scores) > place and scores[place] >= LOCAL_LANGUAGES["en"]
    return LIVEKIT_MIN_S if is_over else LIVEKIT_MAX_S
