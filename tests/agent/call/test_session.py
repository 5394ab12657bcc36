"""A call's session: every option set, none left to a default that reaches out."""

from typing import Any

import pytest
from livekit.agents import inference

from agent.adapters.turn import LocalTurnDetector
from agent.call.session import MAX_PREPARED, CallHooks, build_session, room_options, turn_detection, turn_handling
from agent.settings import Settings
from agent.turns.caller_turn import CallerTurn
from serving.host import Engines
from tests.scripted import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedTurn, ScriptedVad, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

HOOKS = CallHooks(
    is_agent_speaking=lambda: False,
    on_barge_in=lambda: None,
    on_no_words=lambda: None,
    on_judgement=lambda probability: None,
    on_end_of_turn=lambda probability: None,
    on_failure=lambda stage, error: None,
    on_settled_words=lambda words: None,
)


def settings(**turns: Any) -> Settings:
    """Settings with these about turns."""
    choice = {"engine": "scripted", "model": "none"}
    return Settings.model_validate(
        {"profile": "test", "engines": {"stt": choice, "llm": choice, "tts": choice}, "turns": turns}
    )


def engines(*, has_turn: bool = True) -> Engines:
    """Scripted ones."""
    sounds = Sounds()
    turn = ScriptedTurn(sounds) if has_turn else None
    return Engines(ScriptedVad(), ScriptedStt(sounds), turn, ScriptedLlm(lambda request: []), ScriptedTts(sounds))


def test_delays_and_interruptions_are_the_settings() -> None:
    turns = {
        "endpointing": {"min_delay_s": 0.4, "max_delay_s": 2.0, "unjudged_delay_s": 0.9},
        "interruption_min_speech_s": 0.9,
        "interruption_min_words": 2,
        "false_interruption_timeout_s": 1.5,
        "preemptive_max_speech_s": 12.0,
    }
    handling = turn_handling(settings(**turns).turns, inference.TurnDetector(version="v1-mini"))
    assert handling["endpointing"] == {"mode": "fixed", "min_delay": 0.4, "max_delay": 2.0}
    assert handling["interruption"] == {
        "enabled": True,
        "mode": "vad",
        "min_duration": 0.9,
        "min_words": 2,
        "resume_false_interruption": True,
        "false_interruption_timeout": 1.5,
    }
    assert handling["preemptive_generation"] == {
        "enabled": True,
        "preemptive_tts": True,
        "max_speech_duration": 12.0,
        "max_retries": MAX_PREPARED,
    }


def test_with_an_engine_livekit_asks_about_every_overlap_and_drops_no_words() -> None:
    turns = settings().turns
    adaptive = turn_handling(turns, "vad", is_adaptive=True)["interruption"]
    plain = turn_handling(turns, "vad")["interruption"]
    assert adaptive == {**plain, "mode": "adaptive", "backchannel_boundary": (0.0, 3600.0)}


def test_silence_that_decides_alone_takes_longer_than_a_sure_end() -> None:
    turns = settings(endpointing={"min_delay_s": 0.3, "max_delay_s": 2.0, "unjudged_delay_s": 0.9}).turns
    assert turn_handling(turns, "vad")["endpointing"] == {"mode": "fixed", "min_delay": 0.9, "max_delay": 2.0}


def test_no_replies_ahead_is_no_speculation() -> None:
    assert not turn_handling(settings(speculation={"max_per_turn": 0}).turns, "vad")["preemptive_generation"]["enabled"]


def detection(*, has_turn: bool = True, **turns: Any) -> object:
    """Who judges the end of a turn under these settings."""
    turn = CallerTurn(is_agent_speaking=lambda: False)
    return turn_detection(settings(**turns).turns, engines(has_turn=has_turn), turn, HOOKS)


def test_the_end_of_a_turn_is_judged_by_what_was_chosen() -> None:
    detector = detection(endpointing={"threshold_at_1s": 0.7})
    assert isinstance(detector, LocalTurnDetector)
    assert detector.options.threshold_at_1s == 0.7
    assert detection(detection="vad") == "vad"
    assert detection(has_turn=False) == "vad"


def test_livekits_detector_is_the_one_on_this_machine() -> None:
    detector = detection(detection="livekit-v1-mini")
    assert isinstance(detector, inference.TurnDetector)
    assert detector.model == "turn-detector-v1-mini"


@in_virtual_time
async def test_nothing_of_a_session_is_a_service() -> None:
    session = build_session(settings(), engines(), HOOKS)
    parts = (session.vad, session.stt, session.llm, session.tts)
    assert [getattr(part, "provider", None) for part in parts] == ["callbox"] * 4
    options = session.options
    assert options.interruption["mode"] == "vad"
    assert options.user_away_timeout is None
    assert options.aec_warmup_duration is None
    assert options.tts_text_transforms is None


@in_virtual_time
async def test_each_session_has_adapters_of_its_own_on_the_same_engines() -> None:
    shared = engines()
    one, other = (build_session(settings(), shared, HOOKS) for _ in range(2))
    assert one.llm is not other.llm
    assert one.stt is not other.stt
    assert one.llm.engine is other.llm.engine is shared.llm  # type: ignore[union-attr]


def test_the_room_hears_in_small_frames_and_captions_are_our_own() -> None:
    options: Any = room_options(settings())
    audio_in, audio_out = options.audio_input, options.audio_output
    assert (audio_in.sample_rate, audio_in.frame_size_ms, audio_in.pre_connect_audio) == (16_000, 20, False)
    assert audio_out.sample_rate == 24_000
    assert options.text_output is False
    assert options.close_on_disconnect
