"""Over a real room: the history ends at the last word that reached the caller's ear."""

from pathlib import Path

import numpy as np
import pytest

from scripts.bench.heard.cuts import Kind, Plan, draw
from scripts.bench.heard.figures import Judged, judge_call
from scripts.bench.heard.rig import running_rig

pytestmark = pytest.mark.call

CUTS = {Kind.INTERRUPT: 3, Kind.FIRST_WORD: 2, Kind.PAUSE: 3, Kind.CALLER: 1, Kind.TOOL: 3}


async def test_cut_replies_are_remembered_as_they_were_heard(tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    plan = Plan(cuts=tuple(cut for kind, count in CUTS.items() for cut in draw(count, kind, random)))
    with running_rig(tmp_path) as rig:
        call = await rig.hold("heard", plan)
    judged = judge_call(call.entries, call.recording, call.origin_s)
    assert len(judged) > len(plan.cuts), "a tool was called, and its result was spoken of"
    assert sum(one.is_cut for one in judged) >= 8
    assert all(one.error in (0, 1) for one in judged), [one for one in judged if one.error not in (0, 1)]
    # the end itself, to within milliseconds: words alone would not show a lag of 100 ms
    assert abs(float(np.median(beyond_s(judged)))) <= 0.02


def beyond_s(judged: list[Judged]) -> list[float]:
    """How much more was heard than the worker counts as played, where that can be measured."""
    return [one.beyond_s for one in judged if one.beyond_s is not None]
