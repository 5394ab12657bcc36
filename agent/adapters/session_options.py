"""LiveKit's session options from ours. Every option that could reach for a cloud service is set explicitly."""

from livekit.agents import inference, room_io
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.agents.voice.turn import InterruptionOptions, TurnDetectionMode, TurnHandlingOptions

from agent.adapters.errors import NO_RETRIES
from agent.adapters.room_sound import FRAME_MS
from agent.adapters.turn import LocalTurnDetector
from agent.call.stream import EventStream
from agent.settings import Settings, TurnTaking
from agent.turns.caller_turn import CallerTurn
from agent.turns.endpointing import delay_s
from serving.audio import SPEECH_RATE
from serving.engine import TurnEngine

MAX_ERRORS_IN_A_ROW = 100
"""Beyond it, LiveKit ends a call without a word. Giving up, and saying so, is up to agent/replies/failure.py: a single turn can
bring an error for every reply that starts before its end."""
MAX_PREPARED = 100
"""Replies that LiveKit may prepare in a turn. Preparing one costs nothing until agent/replies/speculation.py lets it start, and
the last one is the likeliest to be spoken, so earlier ones must not use up its place."""
JUDGED_FROM_S = 0.0
"""Seconds into a reply before which LiveKit would leave overlaps to the VAD. Our engine needs no such margin."""
WORDS_KEPT_S = 3600.0
"""LiveKit holds words back while it waits for a verdict, and drops those older than this if the verdict is no interruption.
None are that old: backchannels never leave LocalStt, and the words that leave it are meant for the agent."""

CONNECT_OPTIONS = SessionConnectOptions(
    stt_conn_options=NO_RETRIES,
    llm_conn_options=NO_RETRIES,
    tts_conn_options=NO_RETRIES,
    max_unrecoverable_errors=MAX_ERRORS_IN_A_ROW,
)


def turn_handling(turns: TurnTaking, detection: TurnDetectionMode, *, is_adaptive: bool = False) -> TurnHandlingOptions:
    """LiveKit's turn options from ours. `is_adaptive`: whether our own interruption server judges overlaps."""
    endpointing = turns.endpointing
    # silence alone needs longer than a judgement does
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
        return {"mode": "vad"}  # without a mode, LiveKit may choose its cloud service
    return {"mode": "adaptive", "backchannel_boundary": (JUDGED_FROM_S, WORDS_KEPT_S)}


def turn_detection(
    turns: TurnTaking, engine: TurnEngine | None, turn: CallerTurn, events: EventStream
) -> TurnDetectionMode:
    """What detects the end of a turn: `engine` if there is one, the model inside LiveKit's wheel, or silence alone."""
    if turns.detection == "livekit-v1-mini":
        return inference.TurnDetector(version="v1-mini")  # without a version, LiveKit may choose its cloud model
    if engine is None:
        return "vad"
    return LocalTurnDetector(engine, turns.endpointing, turn=turn, events=events)


def room_options(settings: Settings) -> room_io.RoomOptions:
    """Audio in small frames at the engines' rates. No text output: the captions are our own, paced by the voice."""
    return room_io.RoomOptions(
        audio_input=room_io.AudioInputOptions(sample_rate=SPEECH_RATE, frame_size_ms=FRAME_MS, pre_connect_audio=False),
        audio_output=room_io.AudioOutputOptions(sample_rate=settings.network.room_sample_rate),
        video_input=False,
        text_output=False,
        close_on_disconnect=True,
    )
