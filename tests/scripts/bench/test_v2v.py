"""The summary of a voice-to-voice run."""

from typing import Any

import pytest

from scripts.bench.v2v import Calls, show, summary
from scripts.caller.measure import TurnTiming
from scripts.caller.mouth import Kind
from scripts.caller.report import Turn

pytestmark = pytest.mark.unit


def turn(recorded_ms: float, **figures: Any) -> Turn:
    timing = TurnTiming(0.0, 1.0, 1.5, 2.0, recorded_ms, 0.0, None)
    return Turn(1, "hello", Kind.LINE, timing, figures or None)


def test_recorded_and_the_framework_s_latency_are_compared_where_both_are_known() -> None:
    figures = summary(
        Calls(turns=[turn(500.0, voice_to_voice_ms=380.0, llm_ttft_ms=12.0), turn(700.0)]), [100.0, 104.0], "a machine"
    )
    assert figures["turns"] == 2
    assert figures["values_ms"]["recorded voice-to-voice"] == [500.0, 700.0]
    assert figures["values_ms"]["recorded minus framework"] == [120.0]
    assert figures["ms"]["LLM"] == {"p50": 12.0, "p95": 12.0, "n": 1}
    assert figures["ms"]["transport floor, there and back"]["p50"] == 102.0


def test_processor_time_is_the_mean_of_the_calls(capsys: pytest.CaptureFixture[str]) -> None:
    figures = summary(Calls(turns=[turn(500.0)], cpu_s_per_s=[0.1, 0.3], missed_goals=1), [], "a machine")
    assert figures["worker_cpu_s_per_call_s"] == 0.2
    assert figures["calls_without_goal"] == 1
    show(figures)
    assert "0.200 CPU seconds per second of call" in " ".join(capsys.readouterr().out.split())


def test_a_worker_on_another_machine_has_no_processor_time() -> None:
    figures = summary(Calls(turns=[turn(500.0)]), [], "a machine")
    assert figures["worker_cpu_s_per_call_s"] is None
