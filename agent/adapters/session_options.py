"""LiveKit's session options from ours: every one that could reach for a cloud service is set."""

from livekit.agents import inference, room_io
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.agents.voice.turn import InterruptionOptions, TurnDetectionMode, TurnHandlingOptions

from agent.adapters.errors import NO_RETRIES
from agent.adapters.turn import LocalTurnDetector
from agent.call.stream import EventStream
from agent.settings import Settings, TurnTaking
from agent.turns.caller_turn import CallerTurn
from agent.turns.endpointing import delay_s
from serving.audio import SPEECH_RATE
from serving.engine import TurnEngine

MAX_ERRORS_IN_A_ROW = 100
"""LiveKit ends a call without a word after more. It is replies/failure.py that gives up, and says so: one turn alone may bring
as many errors as replies are begun ahead of its end."""
MAX_PREPARED = 100
"""Replies that LiveKit may prepare in a turn. Preparing one costs nothing until agent/replies/speculation.py lets it begin, and
the last one is the likeliest to be spoken: its place must not have been used up by earlier ones."""
JUDGED_FROM_S = 0.0
"""Since the beginning of a reply: overlaps that begin earlier would be left to the VAD. The engine needs no such time."""
WORDS_KEPT_S = 3600.0
"""LiveKit holds words back while it waits for a verdict, and drops older ones than this if it is no interruption. None are:
what is murmured under the agent's voice never leaves LocalStt, and what leaves it is meant."""

CONNECT_OPTIONS = SessionConnectOptions(
    stt_conn_options=NO_RETRIES,
    llm_conn_options=NO_RETRIES,
    tts_conn_options=NO_RETRIES,
    max_unrecoverable_errors=MAX_ERRORS_IN_A_ROW,
)


def turn_handling(turns: TurnTaking, detection: TurnDetectionMode, *, is_adaptive: bool = False) -> TurnHandlingOptions:
    """LiveKit's turn options from ours; adaptive: whether our own interruption server is asked about overlaps."""
    endpointing = turns.endpointing
    # silence alone decides later than a judgement may
    min_delay_s = delay_s(endpointing, None) if detection == "vad" else endpointing.min_delay_s
    return {
        "turn_detection": detection,
        "endpointing": {"mode": "fixed", "min_delay": min_delay_s, "max_delay": endpointing.max_delay_s},
        "interruption": {
            "enabled": True,
            **_interruption_mode(is_adaptive),
            "min_duration": turns.interruption_min_speech_s,
            "min_words": turns.interruption_min_words,
            "resume_false_interruption": True,
            "false_interruption_timeout": turns.false_interruption_timeout_s,
        },
        "preemptive_generation": {
            "enabled": turns.speculation.max_per_turn > 0,
            "preemptive_tts": True,
            "max_speech_duration": turns.preemptive_max_speech_s,
            "max_retries": MAX_PREPARED,
        },
    }


def _interruption_mode(is_adaptive: bool) -> InterruptionOptions:
    if not is_adaptive:
        return {"mode": "vad"}  # without a mode it may choose the cloud's
    return {"mode": "adaptive", "backchannel_boundary": (JUDGED_FROM_S, WORDS_KEPT_S)}


def turn_detection(
    turns: TurnTaking, engine: TurnEngine | None, turn: CallerTurn, events: EventStream
) -> TurnDetectionMode:
    """Who judges the end of a turn: `engine` if there is one, LiveKit's in-wheel model, or silence alone."""
    if turns.detection == "livekit-v1-mini":
        return inference.TurnDetector(version="v1-mini")  # without a version it may choose the cloud's
    if engine is None:
        return "vad"
    return LocalTurnDetector(engine, turns.endpointing, turn=turn, events=events)


def room_options(settings: Settings) -> room_io.RoomOptions:
    """Audio at the engines' rates in small frames; captions are our own, paced by the voice."""
    return room_io.RoomOptions(
        audio_input=room_io.AudioInputOptions(sample_rate=SPEECH_RATE, frame_size_ms=20, pre_connect_audio=False),
        audio_output=room_io.AudioOutputOptions(sample_rate=settings.network.room_sample_rate),
        video_input=False,
        text_output=False,
        close_on_disconnect=True,
    )
