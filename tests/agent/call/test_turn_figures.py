"""The figures of each turn."""

from dataclasses import fields
from typing import Any

import pytest
from livekit.agents import llm

from agent.call.turn_figures import TurnFigures, TurnRecorder, as_json
from serving import metrics

pytestmark = pytest.mark.unit


def said(role: Any, **figures: float) -> llm.ChatMessage:
    """A message with what LiveKit measured about it."""
    message = llm.ChatMessage(role=role, content=["some words"])
    message.metrics.update(figures)  # type: ignore[typeddict-item]
    return message


def count(name: str, **labels: str) -> float:
    """A sample of the registry, 0 if there is none yet."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


USER = {"end_of_turn_delay": 0.3004, "transcription_delay": 0.15}
AGENT = {"e2e_latency": 0.41236, "llm_node_ttft": 0.05, "tts_node_ttfb": 0.08}


def test_a_turn_has_the_figures_of_its_two_messages() -> None:
    recorder = TurnRecorder()
    recorder.judged(0.9)
    recorder.caller_spoke(said("user", **USER))
    assert recorder.agent_spoke(said("assistant", **AGENT), 0.1864) == TurnFigures(
        turn=1,
        voice_to_voice_ms=412.4,
        end_of_turn_delay_ms=300.4,
        transcription_delay_ms=150.0,
        llm_ttft_ms=50.0,
        tts_ttfb_ms=80.0,
        preempted=True,
        end_of_turn_probability=0.9,
        lead_time_ms=186.4,
    )


@pytest.mark.parametrize(("lead_s", "preempted"), [(0.2, True), (0.0, True), (None, False)])
def test_a_reply_begun_before_the_turn_was_over_is_preempted(lead_s: float | None, preempted: bool) -> None:
    recorder = TurnRecorder()
    recorder.caller_spoke(said("user", **USER))
    figures = recorder.agent_spoke(said("assistant", **AGENT), lead_s)
    assert figures is not None
    assert figures.preempted is preempted


def test_the_time_that_a_reply_was_put_off_is_not_the_models() -> None:
    recorder = TurnRecorder()
    recorder.caller_spoke(said("user", **USER))
    figures = recorder.agent_spoke(said("assistant", llm_node_ttft=0.25), None, 0.2)
    assert figures is not None
    assert figures.llm_ttft_ms == 50.0


def test_the_greeting_answers_no_turn() -> None:
    assert TurnRecorder().agent_spoke(said("assistant", **AGENT), None) is None


def test_a_turn_is_answered_once() -> None:
    recorder = TurnRecorder()
    recorder.caller_spoke(said("user", **USER))
    assert recorder.agent_spoke(said("assistant", **AGENT), None) is not None
    assert recorder.agent_spoke(said("assistant", **AGENT), None) is None


def test_turns_are_counted_and_keep_nothing_of_each_other() -> None:
    recorder = TurnRecorder()
    recorder.judged(0.9)
    recorder.caller_spoke(said("user", **USER))
    recorder.agent_spoke(said("assistant", **AGENT), None)
    recorder.caller_spoke(said("user", end_of_turn_delay=1.2))
    second = recorder.agent_spoke(said("assistant"), None)
    assert second is not None
    assert (second.turn, second.end_of_turn_delay_ms) == (2, 1200.0)
    assert (second.transcription_delay_ms, second.llm_ttft_ms, second.end_of_turn_probability) == (None, None, None)


def test_a_turn_without_figures_is_a_turn() -> None:
    """Typed text has no delays, and its answer is an answer all the same."""
    recorder = TurnRecorder()
    recorder.caller_spoke(said("user"))
    figures = recorder.agent_spoke(said("assistant", llm_node_ttft=0.05), None)
    assert figures is not None
    assert (figures.turn, figures.llm_ttft_ms, figures.voice_to_voice_ms) == (1, 50.0, None)


def test_figures_go_to_the_metrics_and_gaps_do_not() -> None:
    before = {
        name: count(f"callbox_{name}_seconds_count")
        for name in ("voice_to_voice", "end_of_turn_delay", "stt_final_delay", "tts_ttfb")
    }
    turns = count("callbox_turns_total", preempted="no")
    recorder = TurnRecorder()
    recorder.caller_spoke(said("user", end_of_turn_delay=0.3))
    recorder.agent_spoke(said("assistant", e2e_latency=0.4), None)
    after = {name: count(f"callbox_{name}_seconds_count") for name in before}
    assert {name: after[name] - before[name] for name in before} == {
        "voice_to_voice": 1.0,
        "end_of_turn_delay": 1.0,
        "stt_final_delay": 0.0,
        "tts_ttfb": 0.0,
    }
    assert count("callbox_turns_total", preempted="no") == turns + 1


def test_the_page_gets_every_figure_by_its_name() -> None:
    recorder = TurnRecorder()
    recorder.caller_spoke(said("user", end_of_turn_delay=0.3))
    figures = recorder.agent_spoke(said("assistant", e2e_latency=0.4), None)
    assert figures is not None
    sent = as_json(figures)
    assert (sent["turn"], sent["voice_to_voice_ms"], sent["transcription_delay_ms"]) == (1, 400.0, None)
    assert set(sent) == {field.name for field in fields(TurnFigures)}
