"""LiveKit's options: all set explicitly, none left to a default that reaches for the cloud."""

from typing import Any

import pytest
from livekit.agents import inference

from agent.adapters.session_options import MAX_PREPARED, room_options, turn_detection, turn_handling
from agent.adapters.turn import LocalTurnDetector
from agent.settings import Settings
from agent.turns.caller_turn import CallerTurn
from tests.published import Published
from tests.scripted import ScriptedTurn, Sounds

pytestmark = pytest.mark.unit


def settings(**turns: Any) -> Settings:
    """Settings with these values under `turns`."""
    choice = {"engine": "scripted", "model": "none"}
    return Settings.model_validate(
        {"profile": "test", "engines": {"stt": choice, "llm": choice, "tts": choice}, "turns": turns}
    )


def test_delays_and_interruptions_follow_the_settings() -> None:
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


def test_silence_alone_takes_longer_than_a_sure_end() -> None:
    turns = settings(endpointing={"min_delay_s": 0.3, "max_delay_s": 2.0, "unjudged_delay_s": 0.9}).turns
    assert turn_handling(turns, "vad")["endpointing"] == {"mode": "fixed", "min_delay": 0.9, "max_delay": 2.0}


def test_zero_replies_per_turn_turns_preemptive_generation_off() -> None:
    assert not turn_handling(settings(speculation={"max_per_turn": 0}).turns, "vad")["preemptive_generation"]["enabled"]


def detection(*, has_turn: bool = True, **turns: Any) -> object:
    """What detects the end of a turn under these settings."""
    events = Published()
    engine = ScriptedTurn(Sounds()) if has_turn else None
    return turn_detection(settings(**turns).turns, engine, CallerTurn(events), events)


def test_the_chosen_detector_judges_the_end_of_a_turn() -> None:
    detector = detection(endpointing={"threshold_at_1s": 0.7})
    assert isinstance(detector, LocalTurnDetector)
    assert detector.options.threshold_at_1s == 0.7
    assert detection(detection="vad", has_turn=False) == "vad"
    assert detection(has_turn=False) == "vad"


def test_livekits_detector_is_the_local_one() -> None:
    detector = detection(detection="livekit-v1-mini")
    assert isinstance(detector, inference.TurnDetector)
    assert detector.model == "turn-detector-v1-mini"


def test_the_room_gets_small_frames_and_no_captions_of_livekits() -> None:
    options: Any = room_options(settings())
    audio_in, audio_out = options.audio_input, options.audio_output
    assert (audio_in.sample_rate, audio_in.frame_size_ms, audio_in.pre_connect_audio) == (16_000, 20, False)
    assert audio_out.sample_rate == 24_000
    assert options.text_output is False
    assert options.close_on_disconnect
