"""Events with figures: how long stages took, and how much work they did."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallerTurnTimed:
    """How long the stages before the reply took. Seconds from the caller's last sound; None where a stage had no part."""

    end_of_turn_delay_s: float | None
    transcription_delay_s: float | None


@dataclass(frozen=True, slots=True)
class ReplyTimed:
    """How long the stages of a reply took. Seconds; None where a stage had no part."""

    voice_to_voice_s: float | None
    """Caller's last sound to the agent's first, without the network."""
    llm_ttft_s: float | None
    tts_ttfb_s: float | None


@dataclass(frozen=True, slots=True)
class LlmUsage:
    """What the language model did for one request."""

    ttft_s: float
    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens found in the prefix cache."""
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """How long each stage of one answered turn took. Milliseconds; None where a stage had no part."""

    turn: int
    """Counts the turns of the call from 1."""
    voice_to_voice_ms: float | None
    """Caller's last sound to the agent's first, without the network."""
    end_of_turn_delay_ms: float | None
    """Caller's last sound to the decision that the turn is over."""
    transcription_delay_ms: float | None
    """Caller's last sound to the last transcript."""
    llm_ttft_ms: float | None
    tts_ttfb_ms: float | None
    preempted: bool
    """Whether the reply was begun before the turn was over."""
    end_of_turn_probability: float | None
    lead_time_ms: float | None
    """How much sooner the answer could sound because it was begun before the turn was over."""
