"""The voice activity engine against the seam, on the real model."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.errors import ModelMissing
from models.store import open_store
from serving.audio import SPEECH_RATE, Pcm32
from serving.errors import EngineDied, EngineLoadFailed
from serving.speech import VoiceActivity
from serving.vad.gate import Gate, GateOpened, GateOptions
from serving.vad.silero import SileroOptions, SileroVad
from tests.contract.listening import lines

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def folder() -> Path:
    """Silero's folder."""
    return open_store().resolve("silero-vad")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[SileroVad]:
    """The loaded engine."""
    engine = SileroVad(SileroOptions(), folder)
    engine.load()
    engine.warm_up()
    engine.check()
    yield engine
    engine.close()


def spoken(name: str) -> Pcm32:
    """A caller's line between two silences of a second."""
    line = lines()[name].samples.astype(np.float32) / 32768
    return np.pad(line, SPEECH_RATE)


def verdicts(engine: SileroVad, samples: Pcm32, step: int) -> list[VoiceActivity]:
    """A stream's verdicts, fed in pieces."""
    stream = engine.open()
    return [v for start in range(0, len(samples), step) for v in stream.push(samples[start : start + step])]


def speech_share(engine: SileroVad, samples: Pcm32) -> float:
    """Share of windows that hold speech."""
    return float(np.mean([v.probability >= 0.5 for v in verdicts(engine, samples, len(samples))]))


@pytest.mark.parametrize("step", [160, 320, 511, 512, 4_000])
def test_the_size_of_the_pieces_does_not_change_the_verdicts(engine: SileroVad, step: int) -> None:
    samples = spoken("book")
    pieces, whole = verdicts(engine, samples, step), verdicts(engine, samples, len(samples))
    assert [v.end_s for v in pieces] == [v.end_s for v in whole]
    np.testing.assert_allclose([v.probability for v in pieces], [v.probability for v in whole], atol=1e-4)


def test_every_window_gets_one_verdict_with_its_end(engine: SileroVad) -> None:
    ends = [v.end_s for v in verdicts(engine, np.zeros(5 * engine.window_samples + 100, np.float32), 320)]
    assert ends == pytest.approx([(i + 1) * engine.window_samples / SPEECH_RATE for i in range(5)])


@pytest.mark.parametrize("name", ["book", "number", "yes"])
def test_a_line_is_found_where_it_is_spoken(engine: SileroVad, name: str) -> None:
    gate = Gate(GateOptions(min_silence_ms=500))
    decisions = [d for v in verdicts(engine, spoken(name), 320) if (d := gate.push(v)) is not None]
    assert isinstance(decisions[0], GateOpened)
    assert decisions[0].at_s == pytest.approx(1.05, abs=0.15)
    assert len(decisions) == 2
    assert decisions[1].at_s == pytest.approx(1.0 + lines()[name].speech_end_s, abs=0.12)


@pytest.mark.parametrize("dbfs", [-60, -40, -20])
def test_noise_and_silence_are_not_speech(engine: SileroVad, dbfs: int) -> None:
    noise = np.random.default_rng(2).normal(0, 10 ** (dbfs / 20), 3 * SPEECH_RATE)
    assert speech_share(engine, noise.astype(np.float32)) == 0.0
    assert speech_share(engine, np.zeros(SPEECH_RATE, np.float32)) == 0.0


def test_streams_do_not_share_their_state_even_across_threads(engine: SileroVad) -> None:
    samples = spoken("headache")
    alone = [v.probability for v in verdicts(engine, samples, 320)]
    together: dict[int, list[float]] = {}

    def listen(index: int) -> None:
        together[index] = [v.probability for v in verdicts(engine, samples, 320)]

    threads = [threading.Thread(target=listen, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for probabilities in together.values():
        np.testing.assert_allclose(probabilities, alone, atol=1e-6)


def test_a_missing_file_and_a_broken_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"silero_vad_v6\.onnx"):
        SileroVad(SileroOptions(), tmp_path).load()
    (tmp_path / "silero_vad_v6.onnx").write_bytes(b"not a model")
    with pytest.raises(EngineLoadFailed, match=r"silero_vad_v6\.onnx"):
        SileroVad(SileroOptions(), tmp_path).load()


def test_an_engine_that_is_not_loaded_says_so_and_can_be_loaded_again(folder: Path) -> None:
    engine = SileroVad(SileroOptions(), folder)
    with pytest.raises(EngineDied):
        engine.open()
    engine.load()
    engine.close()
    engine.close()
    with pytest.raises(EngineDied):
        engine.check()
    engine.load()
    engine.check()


def test_people_are_heard_and_real_noise_is_not(engine: SileroVad, real_speech: Path) -> None:
    people = [
        soundfile.read(path, dtype="float32")[0] for path in sorted((real_speech / "utterances").glob("spk*.flac"))
    ]
    noises = [soundfile.read(path, dtype="float32")[0] for path in sorted((real_speech / "noise").glob("*.flac"))]
    assert len(people) >= 10
    assert len(noises) >= 5
    assert min(speech_share(engine, samples) for samples in people) > 0.4
    assert float(np.mean([speech_share(engine, samples) for samples in noises])) < 0.1
