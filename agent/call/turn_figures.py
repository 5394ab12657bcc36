"""The figures of each answered turn, put together from a call's events and published as one."""

from agent.call.events import (
    CallerTurnTimed,
    CallEvent,
    PublicPayload,
    ReplyConfirmed,
    ReplyTimed,
    TurnDecided,
    TurnFigures,
    TurnOver,
)
from agent.call.stream import EventStream


class TurnRecorder:
    """Collects a turn's figures as its parts become known. Subscribes to a call's events, and publishes TurnFigures."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._turn = 0
        self._caller: CallerTurnTimed | None = None
        self._probability: float | None = None
        self._confirmed: ReplyConfirmed | None = None
        """The reply that was prepared for the turn."""
        events.subscribe_public("turn figures", self._handle)

    async def _handle(self, event: CallEvent[PublicPayload]) -> None:
        match event.payload:
            case TurnDecided(probability=probability):
                self._probability = probability
            case TurnOver():
                self._confirmed = None
            case ReplyConfirmed() as confirmed:
                self._confirmed = confirmed
            case CallerTurnTimed() as timed:
                self._caller = timed
            case ReplyTimed() as timed if self._caller is not None:
                self._events.publish(self._figures(self._caller, timed))
                self._caller = self._probability = None

    def _figures(self, caller: CallerTurnTimed, reply: ReplyTimed) -> TurnFigures:
        self._turn += 1
        confirmed = self._confirmed
        lead_s = None if confirmed is None else confirmed.lead_s
        ttft_s = reply.llm_ttft_s
        if ttft_s is not None and confirmed is not None:
            ttft_s = max(0.0, ttft_s - confirmed.put_off_s)  # LiveKit counts from when the reply was announced
        return TurnFigures(
            turn=self._turn,
            voice_to_voice_ms=_ms(reply.voice_to_voice_s),
            end_of_turn_delay_ms=_ms(caller.end_of_turn_delay_s),
            transcription_delay_ms=_ms(caller.transcription_delay_s),
            llm_ttft_ms=_ms(ttft_s),
            tts_ttfb_ms=_ms(reply.tts_ttfb_s),
            preempted=lead_s is not None,
            end_of_turn_probability=self._probability,
            lead_time_ms=_ms(lead_s),
        )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)
