"""One call's AgentSession, built in the order of the audio path, every option that could reach for a cloud service set."""

from collections.abc import Callable
from dataclasses import dataclass

from livekit.agents import AgentSession, inference, llm, room_io
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.agents.voice.turn import InterruptionOptions, TurnDetectionMode, TurnHandlingOptions

from agent.adapters.errors import NO_RETRIES
from agent.adapters.llm import LocalLlm
from agent.adapters.stt import ListeningHooks, LocalStt, judge_by_text
from agent.adapters.tts import LocalTts
from agent.adapters.turn import LocalTurnDetector
from agent.adapters.vad import LocalVad
from agent.replies.speculation import Speculations
from agent.settings import Settings, TurnTaking
from agent.turns.caller_turn import CallerTurn
from agent.turns.endpointing import delay_s
from agent.turns.overlap import OverlapHooks, OverlapJudge
from models.errors import CallboxError
from serving.audio import SPEECH_RATE
from serving.demand import Demand
from serving.host import Engines
from serving.vad.shared import SharedVad

StageFailure = Callable[[str, CallboxError], None]
"""Told which stage failed, and how."""


MAX_ERRORS_IN_A_ROW = 100
"""LiveKit ends a call without a word after more. It is replies/failure.py that gives up, and says so: one turn alone may
bring as many errors as replies are begun ahead of its end."""


MAX_PREPARED = 100
"""Replies that LiveKit may prepare in a turn. Preparing one costs nothing until agent/replies/speculation.py lets it begin, and the
last one is the likeliest to be spoken: its place must not have been used up by earlier ones."""
JUDGED_FROM_S = 0.0
"""Since the beginning of a reply: overlaps that begin earlier would be left to the VAD. The engine needs no such time."""
WORDS_KEPT_S = 3600.0
"""LiveKit holds words back while it waits for a verdict, and drops older ones than this if it is no interruption. None are:
what is murmured under the agent's voice never leaves LocalStt, and what leaves it is meant."""


@dataclass(frozen=True, slots=True)
class CallHooks:
    """What the stages of a call tell the call, and ask it."""

    is_agent_speaking: Callable[[], bool]
    """Whether a reply is being played, or is held in a pause."""
    on_barge_in: Callable[[], None]
    """The caller wants the floor."""
    on_no_words: Callable[[], None]
    """Speech ended without words."""
    on_judgement: Callable[[float], None]
    """The end-of-turn engine gave the pause that lasts this probability."""
    on_end_of_turn: Callable[[float | None], None]
    """The turn is over, by this probability of the end-of-turn engine, or without one."""
    on_failure: StageFailure
    on_settled_words: Callable[[str], None]
    """The caller is speaking, and these words will not change any more."""


def overlap_judge(settings: Settings, engines: Engines, hooks: CallHooks) -> OverlapJudge | None:
    """Who decides about sound over the agent's voice, if there is an engine for it."""
    if engines.interruption is None:
        return None
    return OverlapJudge(
        engines.interruption,
        settings.turns.overlap,
        longest_unjudged_s=settings.turns.interruption_min_speech_s,
        hooks=OverlapHooks(
            is_agent_speaking=hooks.is_agent_speaking,
            on_barge_in=hooks.on_barge_in,
            on_failure=lambda error: hooks.on_failure("interruption", error),
        ),
    )


def build_session(
    settings: Settings, engines: Engines, hooks: CallHooks, overlaps: OverlapJudge | None = None
) -> AgentSession[None]:
    """A session on the shared engines. The adapters are its own: LiveKit keeps state in them.

    `overlaps` is asked about sound over the agent's voice, through LiveKit's inference URL; without it the VAD decides.
    """
    turn = CallerTurn(is_agent_speaking=hooks.is_agent_speaking)
    detection = turn_detection(settings.turns, engines, turn, hooks)
    vad = SharedVad(engines.vad)
    session: AgentSession[None] = AgentSession(
        vad=_voice_activity(settings, vad, turn, overlaps),
        stt=_listening(settings, engines, hooks, turn, overlaps, vad),
        turn_handling=turn_handling(settings.turns, detection, is_adaptive=overlaps is not None),
        llm=_thinking(settings, engines, hooks),
        max_tool_steps=settings.conversation.max_tool_steps,
        tts=LocalTts(engines.tts, on_failure=lambda error: hooks.on_failure("tts", error)),
        tts_text_transforms=None,  # agent/speech does it, with the clause splitting it needs
        use_tts_aligned_transcript=False,  # HeardOutput reads the word times from the frames
        aec_warmup_duration=None,  # would deafen the agent for its first three seconds
        user_away_timeout=None,
        conn_options=SessionConnectOptions(
            stt_conn_options=NO_RETRIES,
            llm_conn_options=NO_RETRIES,
            tts_conn_options=NO_RETRIES,
            max_unrecoverable_errors=MAX_ERRORS_IN_A_ROW,
        ),
    )
    session.on("conversation_item_added", lambda event: _tell_what_was_said(event.item, turn))
    return session


def _tell_what_was_said(item: object, turn: CallerTurn) -> None:
    if isinstance(item, llm.ChatMessage) and item.role == "assistant":
        turn.agent_said(item.text_content or "")


def _voice_activity(settings: Settings, vad: SharedVad, turn: CallerTurn, overlaps: OverlapJudge | None) -> LocalVad:
    return LocalVad(
        vad,
        settings.turns.gate,
        on_sound=overlaps.sound_lasts if overlaps else lambda seconds: None,
        on_window=turn.heard_window,
    )


def _thinking(settings: Settings, engines: Engines, hooks: CallHooks) -> LocalLlm:
    talk = settings.conversation
    return LocalLlm(
        engines.llm,
        max_reply_tokens=talk.max_reply_tokens,
        plain_user_text=talk.plain_user_text,
        tenant=talk.tenant,
        on_failure=lambda error: hooks.on_failure("llm", error),
    )


def _listening(
    settings: Settings,
    engines: Engines,
    hooks: CallHooks,
    turn: CallerTurn,
    overlaps: OverlapJudge | None,
    vad: SharedVad,
) -> LocalStt:
    return LocalStt(
        engines.stt,
        language=settings.conversation.language,
        hooks=ListeningHooks(
            is_agent_speaking=hooks.is_agent_speaking,
            on_barge_in=hooks.on_barge_in,
            on_no_words=hooks.on_no_words,
            on_failure=lambda error: hooks.on_failure("stt", error),
            on_settled_words=hooks.on_settled_words,
            judge_overlap=judge_by_text if overlaps is None else overlaps.judge_words,
        ),
        turn=turn,
        vad=vad,
    )


def build_speculations(
    settings: Settings, engines: Engines, demand: Demand, throw_away: Callable[[], None]
) -> Speculations:
    """What rules over the replies that a call's session prepares; `throw_away` gives up the one it prepares now."""
    turns = settings.turns
    return Speculations(
        turns.speculation,
        demand,
        lines=settings.capacity.max_calls,
        is_judged=turns.detection == "engine" and engines.turn is not None,
        throw_away=throw_away,
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


def turn_detection(turns: TurnTaking, engines: Engines, turn: CallerTurn, hooks: CallHooks) -> TurnDetectionMode:
    """Who judges the end of a turn."""
    if turns.detection == "livekit-v1-mini":
        return inference.TurnDetector(version="v1-mini")  # without a version it may choose the cloud's
    if turns.detection == "engine" and engines.turn is not None:
        return LocalTurnDetector(
            engines.turn,
            turns.endpointing,
            turn=turn,
            on_judgement=hooks.on_judgement,
            on_decision=hooks.on_end_of_turn,
        )
    return "vad"


def room_options(settings: Settings) -> room_io.RoomOptions:
    """Audio at the engines' rates in small frames; captions are our own, paced by the voice."""
    return room_io.RoomOptions(
        audio_input=room_io.AudioInputOptions(sample_rate=SPEECH_RATE, frame_size_ms=20, pre_connect_audio=False),
        audio_output=room_io.AudioOutputOptions(sample_rate=settings.network.room_sample_rate),
        video_input=False,
        text_output=False,
        close_on_disconnect=True,
    )
