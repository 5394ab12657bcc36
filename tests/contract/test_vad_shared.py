"""The STT on a call's shared voice activity, with the real models: it hears the same, for one run of the VAD."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.store import open_store
from serving.audio import SPEECH_RATE, Pcm16
from serving.engine import VadStream
from serving.speech import SttEvent, Transcript
from serving.stt.faster_whisper import FasterWhisperOptions
from serving.vad.shared import SharedVad
from serving.vad.silero import SileroOptions, SileroVad
from tests.contract.listening import Hearing, WatchedEngine, hear, lines, silence
from tests.scripted import CountedStream

pytestmark = pytest.mark.contract

LINES = lines()
AT_ONCE = 1e9
"""A share of time for partial decodes that never limits them, so that they come at the same places every time."""


class CountedVad(SileroVad):
    """Counts the windows that its streams judge."""

    windows = 0

    def open(self) -> VadStream:
        return CountedStream(super().open(), self._count)

    def _count(self, windows: int) -> None:
        self.windows += windows


@pytest.fixture(scope="module")
def vad() -> Iterator[CountedVad]:
    """Loaded voice activity."""
    vad = CountedVad(SileroOptions(), open_store().resolve("silero-vad"))
    vad.load()
    yield vad
    vad.close()


@pytest.fixture(scope="module")
def engine(vad: CountedVad) -> Iterator[WatchedEngine]:
    """The demo's recognition, loaded."""
    options = FasterWhisperOptions(window_floor_s=4.0, partial_load=AT_ONCE)
    engine = WatchedEngine(options, open_store().resolve("demo-stt"), vad)
    engine.load()
    yield engine
    engine.close()


def told(hearing: Hearing) -> list[tuple[float, SttEvent]]:
    """All events with their times, without how long the decodes took."""
    return [
        (at_s, replace(event, decode_s=0.0) if isinstance(event, Transcript) else event)
        for at_s, event in hearing.events
    ]


async def assert_shared_is_own(engine: WatchedEngine, vad: CountedVad, *pieces: Pcm16) -> Hearing:
    """Hear the same audio with an own and a shared VAD, and compare."""
    counted = []
    heard = []
    for shared in (None, SharedVad(vad)):
        before = vad.windows
        heard.append(await hear(engine, *pieces, shared=shared))
        counted.append(vad.windows - before)
    assert told(heard[1]) == told(heard[0])
    assert counted[0] == counted[1] == sum(map(len, pieces)) // vad.window_samples
    return heard[0]


async def test_a_call_is_heard_the_same_and_each_window_judged_once(engine: WatchedEngine, vad: CountedVad) -> None:
    call = [piece for line in LINES.values() for piece in (silence(0.7), line.samples)]
    hearing = await assert_shared_is_own(engine, vad, *call, silence(0.7))
    assert len(hearing.events) > 5 * len(LINES)


async def test_people_are_heard_the_same(engine: WatchedEngine, vad: CountedVad, real_speech: Path) -> None:
    said = []
    for path in sorted((real_speech / "utterances").glob("spk*.flac"))[:6]:
        samples, rate = soundfile.read(path, dtype="int16")
        assert rate == SPEECH_RATE
        said += [silence(0.6), np.asarray(samples, np.int16)]
    hearing = await assert_shared_is_own(engine, vad, *said, silence(0.7))
    assert len(hearing.events) > 20
