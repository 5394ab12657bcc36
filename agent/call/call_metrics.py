"""A call's events, counted: a subscriber that feeds the metrics of the process."""

from agent.call.events import (
    AgentInterrupted,
    CallBegan,
    CallEnded,
    CallEvent,
    EngineFailed,
    EngineLate,
    LlmUsage,
    OverlapJudged,
    OverlapSampled,
    OverlapVerdict,
    PublicPayload,
    ReplyComputed,
    ReplyConfirmed,
    ReplyDropped,
    ReplyPutOff,
    ToolReturned,
    TurnDecided,
    TurnFigures,
    TurnJudged,
)
from agent.call.stream import EventStream
from serving import metrics


class CallMetrics:
    """Counts what happens in one call."""

    def __init__(self, events: EventStream) -> None:
        self._is_active = False
        events.subscribe_public("metrics", self._handle)

    async def _handle(self, event: CallEvent[PublicPayload]) -> None:
        match event.payload:
            case CallBegan():
                self._is_active = True
                metrics.ACTIVE_CALLS.inc()
            case CallEnded(reason):
                metrics.ACTIVE_CALLS.dec(1 if self._is_active else 0)
                metrics.CALLS.labels(reason.value).inc()
            case AgentInterrupted():
                metrics.INTERRUPTIONS.inc()
            case EngineFailed(stage) | EngineLate(stage):
                metrics.ENGINE_ERRORS.labels(stage).inc()
            case ToolReturned(name=name, status=status):
                metrics.TOOL_CALLS.labels(name, status).inc()
            case payload:
                _count_turn(payload)
                _count_reply(payload)


def _count_turn(payload: PublicPayload) -> None:
    match payload:
        case TurnJudged(inference_s=inference_s):
            metrics.TURN_INFERENCE.observe(inference_s)
        case TurnDecided(by, probability, judgements):
            metrics.TURN_JUDGEMENTS.observe(judgements)
            if by is not None:
                metrics.TURN_ENDS.labels(by.value).inc()
            if probability is not None:
                metrics.END_OF_TURN_PROBABILITY.observe(probability)
        case TurnFigures() as figures:
            _observe(figures)
        case OverlapSampled(inference_s=inference_s):
            metrics.INTERRUPTION_INFERENCE.observe(inference_s)
        case OverlapJudged(verdict, after_s):
            metrics.OVERLAPS.labels(verdict.value).inc()
            if verdict is OverlapVerdict.INTERRUPTION:
                metrics.INTERRUPTION_DELAY.observe(after_s)


def _count_reply(payload: PublicPayload) -> None:
    match payload:
        case LlmUsage() as usage:
            metrics.LLM_TTFT.observe(usage.ttft_s)
            metrics.PROMPT_TOKENS.labels("yes").inc(usage.cached_tokens)
            metrics.PROMPT_TOKENS.labels("no").inc(usage.prompt_tokens - usage.cached_tokens)
        case ReplyPutOff(reason=reason):
            metrics.SPECULATIONS_PUT_OFF.labels(reason.value).inc()
        case ReplyConfirmed(lead_s=float() as lead_s):
            metrics.SPECULATIONS.labels("adopted").inc()
            metrics.SPECULATION_LEAD.observe(lead_s)
        case ReplyDropped(was_begun=True):
            metrics.SPECULATIONS.labels("thrown_away").inc()
        case ReplyComputed(is_used=is_used, tokens=tokens, audio_s=audio_s):
            use = "useful" if is_used else "wasted"
            metrics.REPLY_TOKENS.labels(use).inc(tokens)
            metrics.REPLY_AUDIO.labels(use).inc(audio_s)


def _observe(figures: TurnFigures) -> None:
    pairs = (
        (metrics.VOICE_TO_VOICE, figures.voice_to_voice_ms),
        (metrics.END_OF_TURN_DELAY, figures.end_of_turn_delay_ms),
        (metrics.STT_FINAL_DELAY, figures.transcription_delay_ms),
        (metrics.TTS_TTFB, figures.tts_ttfb_ms),
    )
    for histogram, value_ms in pairs:
        if value_ms is not None:
            histogram.observe(value_ms / 1000)
    metrics.TURNS.labels("yes" if figures.preempted else "no").inc()
