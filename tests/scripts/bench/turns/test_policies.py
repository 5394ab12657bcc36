"""Rules with fixed numbers end turns when they should."""

import math
from dataclasses import replace

import pytest

from agent.turns.endpointing import EndpointingOptions
from scripts.bench.turns.detectors import OURS, SMART_TURN, V1_MINI
from scripts.bench.turns.policies import (
    LIVEKIT_MAX_S,
    LIVEKIT_MIN_S,
    PROFILES,
    graded_end_s,
    livekit_end_s,
    policies,
)
from scripts.bench.turns.report import Judged, Policy, fixed

pytestmark = pytest.mark.unit
OPTIONS = EndpointingOptions(min_delay_s=0.3, max_delay_s=1.2, threshold_at_1s=0.5, decline=1.0)


def test_the_surer_the_sooner() -> None:
    assert graded_end_s(OPTIONS, (0.0, *[0.99] * 11)) == pytest.approx(0.3)
    assert graded_end_s(OPTIONS, (0.99, *[0.01] * 11)) == pytest.approx(1.2)  # the first came before the words
    assert graded_end_s(OPTIONS, (0.0, 0.01, 0.01, 0.01, *[0.99] * 8)) == pytest.approx(0.5)


def test_a_model_asked_once_a_pause_is_not_asked_again() -> None:
    once = replace(OPTIONS, judge_every_s=10)
    assert graded_end_s(once, (0.99, 0.01, *[0.99] * 10)) == pytest.approx(1.2)
    assert graded_end_s(replace(once, judges_words=False), (0.99, *[0.01] * 11)) == pytest.approx(0.3)


def test_every_profile_has_its_row() -> None:
    names = [policy.name for policy in policies([OURS, SMART_TURN, V1_MINI])]
    assert len([name for name in names if name.startswith("as shipped, profile")]) == len(PROFILES)
    assert [policy.detector for policy in policies([V1_MINI])] == [V1_MINI]


def test_livekit_judges_once() -> None:
    assert livekit_end_s((0.0, 0.99)) == LIVEKIT_MIN_S
    assert livekit_end_s((0.99, 0.0, 0.99)) == LIVEKIT_MAX_S


def test_a_fixed_rule_s_figures() -> None:
    judged = [
        Judged({}, math.inf, {"x": (0.9,)}),
        Judged({}, math.inf, {"x": (0.1,)}),
        Judged({}, 0.5, {"x": (0.9,)}),
        Judged({}, 0.5, {"x": (0.1,)}),
    ]
    rule = Policy("rule", "x", lambda scores: 0.4 if scores[0] > 0.5 else 2.0)

    found = fixed(rule, judged)

    assert found.cut_offs == 0.5
    assert found.mean_s == pytest.approx(1.2)
    assert found.median_s == pytest.approx(1.2)
    assert found.p95_s == pytest.approx(0.4 + 0.95 * 1.6)
