"""Streams that share one run of the model, with an engine that counts the windows."""

import numpy as np
import pytest

from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import VadStream
from serving.errors import EngineDied
from serving.speech import VoiceActivity
from serving.vad.shared import KEPT_S, SharedVad
from tests.scripted import WINDOW_SAMPLES
from tests.scripted.engine import ScriptedEngine

pytestmark = pytest.mark.unit

FRAME_SAMPLES = 320


class CountingVad(ScriptedEngine):
    """Uses a window's first sample as its probability, so that verdicts show which window they are for."""

    name = "counting"
    window_samples = WINDOW_SAMPLES

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.judged: list[float] = []
        self.failures = 0

    def open(self) -> VadStream:
        self.opened += 1
        return _CountingStream(self)


class _CountingStream:
    def __init__(self, engine: CountingVad) -> None:
        self._engine = engine
        self._rest: Pcm32 = np.zeros(0, np.float32)
        self._windows = 0

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        if self._engine.failures:
            self._engine.failures -= 1
            raise EngineDied("The voice activity model is dead.")
        self._rest = np.concatenate((self._rest, samples))
        verdicts = []
        while len(self._rest) >= WINDOW_SAMPLES:
            self._windows += 1
            self._engine.judged.append(float(self._rest[0]))
            verdicts.append(VoiceActivity(float(self._rest[0]), self._windows * WINDOW_SAMPLES / SPEECH_RATE))
            self._rest = self._rest[WINDOW_SAMPLES:]
        return verdicts


def frames(count: int, *, first: int = 0) -> list[Pcm32]:
    """Frames of 20 ms, no two samples alike."""
    whole = np.arange(first * FRAME_SAMPLES, (first + count) * FRAME_SAMPLES, dtype=np.float32)
    return [whole[at : at + FRAME_SAMPLES] for at in range(0, len(whole), FRAME_SAMPLES)]


def push_all(stream: VadStream, pieces: list[Pcm32]) -> list[VoiceActivity]:
    """All verdicts of a stream on these."""
    return [verdict for piece in pieces for verdict in stream.push(piece)]


@pytest.fixture
def engine() -> CountingVad:
    """A new engine."""
    return CountingVad()


@pytest.fixture
def shared(engine: CountingVad) -> SharedVad:
    """The voice activity of a call."""
    return SharedVad(engine)


@pytest.mark.parametrize("lead", [1, 3, 40])
def test_each_window_is_judged_once_whoever_is_ahead(engine: CountingVad, shared: SharedVad, lead: int) -> None:
    sound = frames(120)
    alone = push_all(CountingVad().open(), sound)
    one, other = shared.open(), shared.open()
    found: dict[int, list[VoiceActivity]] = {0: [], 1: []}
    for start in range(0, len(sound), 2 * lead):
        first, second = (one, other) if start % (4 * lead) else (other, one)
        for stream in (first, second):
            found[0 if stream is one else 1] += push_all(stream, sound[start : start + 2 * lead])
    assert found[0] == found[1] == alone
    assert engine.judged == [verdict.probability for verdict in alone]
    assert engine.opened == 1


def test_a_stream_opened_later_goes_over_what_is_still_held(engine: CountingVad, shared: SharedVad) -> None:
    sound = frames(100)
    everything = push_all(shared.open(), sound)
    judged = len(engine.judged)
    again = push_all(shared.open(), sound[37:])
    assert len(engine.judged) == judged
    start_s = 37 * FRAME_SAMPLES / SPEECH_RATE
    later = [verdict for verdict in everything if verdict.end_s > start_s]
    assert [verdict.probability for verdict in again] == [verdict.probability for verdict in later]
    assert [verdict.end_s for verdict in again] == pytest.approx([verdict.end_s - start_s for verdict in later])


def test_a_stream_opened_anew_starts_its_clock_and_disturbs_no_other(engine: CountingVad, shared: SharedVad) -> None:
    sound = frames(64)
    alone = push_all(CountingVad().open(), sound)
    steady = shared.open()
    found = push_all(steady, sound[:32])
    push_all(shared.open(), sound[:32])
    fresh = push_all(shared.open(), sound[32:])
    assert found + push_all(steady, sound[32:]) == alone
    assert fresh[0].end_s == pytest.approx(WINDOW_SAMPLES / SPEECH_RATE)
    assert len(engine.judged) == len(alone)


@pytest.mark.parametrize("is_misled_first", [False, True])
def test_audio_that_one_stream_alone_is_pushed_is_judged_for_it_alone(
    engine: CountingVad, shared: SharedVad, *, is_misled_first: bool
) -> None:
    """LiveKit feeds the STT silence instead of the caller while the agent must not be interrupted."""
    sound, silence = frames(192), [np.zeros(FRAME_SAMPLES, np.float32) for _ in range(64)]
    misled_sound = sound[:64] + silence + sound[128:]
    true, misled = shared.open(), shared.open()
    heard: list[VoiceActivity] = []
    misheard: list[VoiceActivity] = []
    for real, given in zip(sound, misled_sound, strict=True):
        if is_misled_first:
            misheard += misled.push(given)
            heard += true.push(real)
        else:
            heard += true.push(real)
            misheard += misled.push(given)
    judged_before = len(engine.judged)
    for piece in (after := frames(16, first=192)):
        heard += true.push(piece)
        misheard += misled.push(piece)
    assert len(engine.judged) - judged_before == 16 * FRAME_SAMPLES // WINDOW_SAMPLES, "they share again"
    own = push_all(CountingVad().open(), sound + after)
    assert [verdict.end_s for verdict in heard] == pytest.approx([verdict.end_s for verdict in own])
    assert [verdict.probability for verdict in heard] == [verdict.probability for verdict in own]
    during = [v.probability for v in misheard if 64 * 0.02 + 0.032 < v.end_s <= 128 * 0.02]
    assert during
    assert set(during) == {0.0}


def test_the_same_array_pushed_again_is_more_audio(engine: CountingVad, shared: SharedVad) -> None:
    (piece,) = frames(1)
    one, other = shared.open(), shared.open()
    alone = push_all(CountingVad().open(), [piece] * 16)
    assert push_all(one, [piece] * 16) == alone
    assert push_all(other, [piece] * 16) == alone
    assert len(engine.judged) == len(alone)


def test_verdicts_go_with_their_audio(shared: SharedVad) -> None:
    stream = shared.open()
    for piece in frames(500):
        stream.push(piece.copy())
    assert shared.kept <= 2


def test_verdicts_on_audio_that_is_held_for_ever_go_too(shared: SharedVad) -> None:
    sound = frames(round(1.5 * KEPT_S * SPEECH_RATE / FRAME_SAMPLES))
    push_all(shared.open(), sound)
    assert shared.kept <= KEPT_S * SPEECH_RATE / FRAME_SAMPLES + 1


def test_a_failure_is_told_to_whoever_meets_it_and_the_next_audio_is_judged(
    engine: CountingVad, shared: SharedVad
) -> None:
    sound = frames(96)
    one, other = shared.open(), shared.open()
    push_all(one, sound[:32])
    push_all(other, sound[:32])
    engine.failures = 1
    with pytest.raises(EngineDied):
        one.push(sound[32])
    found = push_all(other, sound[32:])
    assert [verdict.end_s for verdict in found] == pytest.approx(
        [32 * 0.02 + (n + 1) * 0.032 for n in range(64 * FRAME_SAMPLES // WINDOW_SAMPLES)]
    )
    assert engine.opened == 2


def test_it_says_what_its_engine_says(shared: SharedVad) -> None:
    assert (shared.name, shared.window_samples) == ("counting", WINDOW_SAMPLES)
