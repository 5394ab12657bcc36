"""The shipped voices: understood by the shipped speech recognition, and complete."""

from pathlib import Path

import numpy as np
import pytest

from scripts.caller.errors import CallerError, LineMissing
from scripts.caller.measure import CALLER_THRESHOLD_DBFS, level_dbfs, spans
from scripts.caller.voice import load_voice, voices
from scripts.paths import CALLERS

pytestmark = pytest.mark.unit


def test_there_are_several_voices_and_one_was_never_trained_on() -> None:
    assert {"rms", "awb", "kal16"} < set(voices())


def test_the_voices_are_small() -> None:
    assert sum(path.stat().st_size for path in CALLERS.rglob("*.flac")) < 3_000_000


@pytest.mark.parametrize("name", voices())
def test_every_line_is_trimmed_and_at_the_same_level(name: str) -> None:
    voice = load_voice(name)
    for text in voice.files:
        samples = voice.line(text).samples
        [sound] = spans(samples, CALLER_THRESHOLD_DBFS, np.inf)
        assert sound.start_s < 0.05, text
        assert sound.end_s > len(samples) / 16_000 - 0.15, text
        if not text.startswith("["):
            assert level_dbfs(samples[480:-480]) == pytest.approx(-20.5, abs=1.0), text


def test_a_missing_line_names_the_command_that_renders_it() -> None:
    with pytest.raises(LineMissing, match="render_callers"):
        load_voice("rms").line("how do you do")


def test_an_unknown_voice_is_refused_with_the_known_names(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="rms"):
        load_voice("nobody")
    with pytest.raises(CallerError, match="none"):
        load_voice("rms", tmp_path)
    with pytest.raises(CallerError):
        load_voice("sounds")
