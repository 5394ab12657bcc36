"""A call's events, counted."""

import asyncio
from collections.abc import Iterable

import pytest

from agent.call.call_metrics import CallMetrics
from agent.call.events import (
    AgentInterrupted,
    CallBegan,
    CallEnded,
    EndReason,
    EngineFailed,
    EngineLate,
    LlmUsage,
    OverlapJudged,
    OverlapSampled,
    OverlapVerdict,
    Payload,
    Refusal,
    ReplyComputed,
    ReplyConfirmed,
    ReplyDropped,
    ReplyPutOff,
    ToolReturned,
    TurnDecided,
    TurnDecidedBy,
    TurnFigures,
    TurnJudged,
)
from agent.call.stream import EventStream
from serving import metrics
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

FIGURES = TurnFigures(1, 400.0, 300.0, None, 50.0, None, True, 0.9, 100.0)

Sample = tuple[str, tuple[tuple[str, str], ...]]


def samples() -> dict[Sample, float]:
    """Everything in the registry."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in metrics.REGISTRY.collect()
        for sample in metric.samples
        if not sample.name.endswith(("_created", "_bucket"))
    }


async def counted(payloads: Iterable[Payload]) -> dict[str, float]:
    """What these events change in the registry: sample names with their labels' values, and by how much."""
    events = EventStream("call", asyncio.get_running_loop())
    CallMetrics(events)
    before = samples()
    for payload in payloads:
        events.publish(payload)
    await events.aclose()
    changes = {key: value - before.get(key, 0.0) for key, value in samples().items()}
    return {
        " ".join([name.removeprefix("callbox_"), *(value for _, value in labels)]): round(change, 6)
        for (name, labels), change in changes.items()
        if change
    }


@pytest.mark.parametrize(
    ("payloads", "changes"),
    [
        ([CallBegan()], {"active_calls": 1}),
        ([CallBegan(), CallEnded(EndReason.AGENT_HUNG_UP)], {"calls_total agent_hung_up": 1}),
        ([CallEnded(EndReason.FAILED)], {"calls_total failed": 1}),
        ([AgentInterrupted()], {"interruptions_total": 1}),
        ([EngineFailed("stt", "EngineDied"), EngineLate("stt")], {"engine_errors_total stt": 2}),
        ([ToolReturned("c", "find_slots", "ok", 0.01, "r")], {"tool_calls_total ok find_slots": 1}),
        ([TurnJudged(0.7, 0.2, 0.02)], {"turn_inference_seconds_count": 1, "turn_inference_seconds_sum": 0.02}),
        (
            [TurnDecided(TurnDecidedBy.JUDGEMENT, 0.8, 3)],
            {
                "turn_judgements_count": 1,
                "turn_judgements_sum": 3,
                "turn_ends_total judgement": 1,
                "end_of_turn_probability_count": 1,
                "end_of_turn_probability_sum": 0.8,
            },
        ),
        ([TurnDecided(None, None, 0)], {"turn_judgements_count": 1}),
        (
            [OverlapSampled(0.4, 0.03)],
            {"interruption_inference_seconds_count": 1, "interruption_inference_seconds_sum": 0.03},
        ),
        ([OverlapJudged(OverlapVerdict.BACKCHANNEL, 0.6)], {"overlaps_total backchannel": 1}),
        (
            [OverlapJudged(OverlapVerdict.INTERRUPTION, 0.3)],
            {
                "overlaps_total interruption": 1,
                "interruption_delay_seconds_count": 1,
                "interruption_delay_seconds_sum": 0.3,
            },
        ),
        (
            [LlmUsage(0.05, 300, 256, 20)],
            {
                "llm_ttft_seconds_count": 1,
                "llm_ttft_seconds_sum": 0.05,
                "prompt_tokens_total yes": 256,
                "prompt_tokens_total no": 44,
            },
        ),
        ([ReplyPutOff("r", Refusal.LOAD)], {"speculations_put_off_total load": 1}),
        (
            [ReplyConfirmed("r", 0.2, 0.0)],
            {
                "speculations_total adopted": 1,
                "speculation_lead_seconds_count": 1,
                "speculation_lead_seconds_sum": 0.2,
            },
        ),
        ([ReplyConfirmed("r", None, 0.3), ReplyDropped("r", was_begun=False)], {}),
        ([ReplyDropped("r", was_begun=True)], {"speculations_total thrown_away": 1}),
        (
            [ReplyComputed("r", True, 20, 1.5), ReplyComputed("s", False, 8, 0.5)],
            {
                "reply_tokens_total useful": 20,
                "reply_audio_seconds_total useful": 1.5,
                "reply_tokens_total wasted": 8,
                "reply_audio_seconds_total wasted": 0.5,
            },
        ),
        (
            [FIGURES],
            {
                "voice_to_voice_seconds_count": 1,
                "voice_to_voice_seconds_sum": 0.4,
                "end_of_turn_delay_seconds_count": 1,
                "end_of_turn_delay_seconds_sum": 0.3,
                "turns_total yes": 1,
            },
        ),
    ],
)
@in_virtual_time
async def test_events_are_counted(payloads: list[Payload], changes: dict[str, float]) -> None:
    assert await counted(payloads) == changes
