"""The figures of each turn, from one place: to the metrics, to the page, to whoever asks."""

from dataclasses import asdict, dataclass
from typing import Any

from livekit.agents import llm

from serving import metrics


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """How long each stage of one answered turn took. Milliseconds; None where a stage had no part."""

    turn: int
    voice_to_voice_ms: float | None
    """Caller's last sound to the agent's first, without the network."""
    end_of_turn_delay_ms: float | None
    """Caller's last sound to the decision that the turn is over."""
    transcription_delay_ms: float | None
    """Caller's last sound to the last transcript."""
    llm_ttft_ms: float | None
    tts_ttfb_ms: float | None
    preempted: bool
    """Whether the reply had been begun before the turn was over."""
    end_of_turn_probability: float | None
    lead_time_ms: float | None
    """How much sooner the answer could sound because it was begun before the turn was over."""


class TurnRecorder:
    """Collects a turn's figures as its parts become known."""

    def __init__(self) -> None:
        self._turn = 0
        self._caller: dict[str, Any] | None = None
        self._probability: float | None = None

    def judged(self, probability: float | None) -> None:
        """The turn is over, by this probability of the end-of-turn model, or without one."""
        self._probability = probability

    def caller_spoke(self, message: llm.ChatMessage) -> None:
        """The caller's message entered the history."""
        self._caller = dict(message.metrics)

    def agent_spoke(self, message: llm.ChatMessage, lead_s: float | None, put_off_s: float = 0.0) -> TurnFigures | None:
        """The agent's message entered the history: the turn's figures, if it answered one.

        `lead_s`, `put_off_s`: see Speculations. LiveKit counts what was put off into the first token's time.
        """
        if self._caller is None:
            return None
        agent: dict[str, Any] = dict(message.metrics)
        ttft_s = agent.get("llm_node_ttft")
        self._turn += 1
        figures = TurnFigures(
            turn=self._turn,
            voice_to_voice_ms=_ms(agent.get("e2e_latency")),
            end_of_turn_delay_ms=_ms(self._caller.get("end_of_turn_delay")),
            transcription_delay_ms=_ms(self._caller.get("transcription_delay")),
            llm_ttft_ms=_ms(None if ttft_s is None else max(0.0, ttft_s - put_off_s)),
            tts_ttfb_ms=_ms(agent.get("tts_node_ttfb")),
            preempted=lead_s is not None,
            end_of_turn_probability=self._probability,
            lead_time_ms=_ms(lead_s),
        )
        self._caller, self._probability = None, None
        _observe(figures)
        return figures


def as_json(figures: TurnFigures) -> dict[str, Any]:
    """The figures as they are sent to the page."""
    return asdict(figures)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)


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
