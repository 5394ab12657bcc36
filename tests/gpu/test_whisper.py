"""The demo Whisper hears the same on a GPU as on the CPU."""

from pathlib import Path

import jiwer
import pytest
import soundfile

from models.store import open_store
from serving.audio import Pcm32
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.hearing import Clip, Urgency
from serving.stt.whisper_options import ComputeType, FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad
from tests.contract.listening import WatchedEngine, hear, lines
from tests.gpu.device import COMPUTE_TYPES, DEVICE

pytestmark = pytest.mark.gpu

CALLERS = Path(__file__).parents[2] / "models" / "demo" / "callers"
VOICES = ("rms", "awb", "kal16")
WINDOW_FLOOR_S = 4.0


@pytest.fixture(scope="module")
def recordings() -> list[Pcm32]:
    """Everything that the demo's callers say."""
    files = [path for voice in VOICES for path in sorted((CALLERS / voice).glob("*.flac"))]
    return [soundfile.read(path, dtype="float32")[0] for path in files]


@pytest.fixture(scope="module")
def heard_on_the_cpu(recordings: list[Pcm32]) -> list[str]:
    """The words of each recording, with 32-bit floats on the CPU."""
    return heard(FasterWhisperOptions(compute_type="float32", window_floor_s=WINDOW_FLOOR_S), recordings)


def heard(options: FasterWhisperOptions, recordings: list[Pcm32]) -> list[str]:
    """The words of each recording."""
    engine = loaded(options)
    try:
        return [" ".join(word.text for word in engine.recognise(samples)) for samples in recordings]
    finally:
        engine.close()


def loaded(options: FasterWhisperOptions, kind: type[FasterWhisperEngine] = FasterWhisperEngine) -> FasterWhisperEngine:
    """A warm engine."""
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    vad.load()
    engine = kind(options, open_store().resolve("demo-stt"), vad)
    engine.load()
    engine.warm_up()
    return engine


@pytest.mark.parametrize("compute_type", COMPUTE_TYPES)
def test_the_callers_are_heard_as_on_the_cpu(
    compute_type: ComputeType, recordings: list[Pcm32], heard_on_the_cpu: list[str]
) -> None:
    options = FasterWhisperOptions(device=DEVICE, compute_type=compute_type, window_floor_s=WINDOW_FLOOR_S)
    found = heard(options, recordings)
    assert len(found) > 100
    assert sum(a == b for a, b in zip(found, heard_on_the_cpu, strict=True)) >= 0.97 * len(found)
    assert jiwer.wer(heard_on_the_cpu, found) < 0.01


def test_clips_that_are_decoded_together_are_heard_as_alone(recordings: list[Pcm32]) -> None:
    """On a GPU up to eight calls share a batch."""
    engine = loaded(FasterWhisperOptions(device=DEVICE, window_floor_s=WINDOW_FLOOR_S))
    clips = [Clip(samples, 0.0, 0.0, len(samples) / 16_000) for samples in recordings[:16]]
    waiting = [engine.submit(clip, Urgency.PARTIAL, None) for clip in clips]
    together = [[word.text for word in future.result(timeout=60).words] for future in waiting]
    alone = [[word.text for word in engine.recognise(clip.samples)] for clip in clips]
    engine.close()
    assert sum(a == b for a, b in zip(together, alone, strict=True)) >= 15  # sums in another order round otherwise
    assert sum(map(len, alone)) > 30


async def test_a_stream_hears_a_call_as_it_comes() -> None:
    engine = loaded(FasterWhisperOptions(device=DEVICE, window_floor_s=WINDOW_FLOOR_S), WatchedEngine)
    assert isinstance(engine, WatchedEngine)
    line = max(lines().values(), key=lambda line: len(line.words))
    hearing = await hear(engine, line.samples, flush_at_s=[line.speech_end_s + 0.3])
    engine.close()
    assert jiwer.wer(line.words, hearing.text.lower().replace(".", "").replace(",", "").replace("?", "")) < 0.2
