"""One STT engine, several calls: nothing mixes, waiting work is dropped, failures stay where they happen."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from models.errors import ModelMissing
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16
from serving.batcher import PriorityBatcher
from serving.engine import SttStream
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.stt.faster_whisper import FasterWhisperEngine, FasterWhisperOptions, window_frames, windows_to_warm
from serving.stt.hearing import Clip, Heard, Urgency
from serving.vad.silero import SileroVad
from tests.contract.listening import Hearing, Line, WatchedEngine, collect, hear, lines, settle, silence

pytestmark = pytest.mark.contract

LINES = lines()
OPTIONS = FasterWhisperOptions(window_floor_s=4.0, max_batch=4)


class GatedEngine(WatchedEngine):
    """Decodes wait while a gate is shut, batches are recorded, and a poisoned stream's decodes fail."""

    def load(self) -> None:
        """Put the gate in front of the real model."""
        super().load()
        assert self._model is not None
        assert self._batcher is not None
        self._batcher.close()
        self._real = self._model.transcribe
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[Sequence[Clip]] = []
        self.poison: Clip | None = None
        self._batcher = PriorityBatcher("stt", self._gated, max_batch=self._options.max_batch or 1)

    def _gated(self, clips: Sequence[Clip]) -> list[Heard]:
        assert self.gate.wait(30)
        self.batches.append(clips)
        if any(clip is self.poison for clip in clips):
            raise RuntimeError("out of memory")
        return self._real(clips)


@pytest.fixture
def engine(vad: SileroVad, stt_dir: Path) -> Iterator[GatedEngine]:
    """A loaded engine with an open gate."""
    engine = GatedEngine(OPTIONS, stt_dir, vad)
    engine.load()
    yield engine
    engine.gate.set()
    engine.close()


def call(line: Line) -> Pcm16:
    """A line with the silence that ends an utterance."""
    return np.concatenate((silence(0.5), line.samples, silence(0.7)))


async def feed(stream: SttStream, samples: Pcm16) -> None:
    """Push all audio at once."""
    for start in range(0, len(samples), 320):
        stream.push(AudioChunk(samples[start : start + 320], SPEECH_RATE))
    await settle()


async def rest(stream: SttStream) -> Hearing:
    """The remaining events of a stream."""
    hearing = Hearing()
    await asyncio.wait_for(collect(stream, hearing, [0.0]), timeout=60)
    return hearing


def test_calls_in_different_threads_and_loops_do_not_mix(engine: GatedEngine) -> None:
    names = ["book", "birthday", "cancel", "refill"]
    heard: dict[str, str] = {}

    def one_call(name: str) -> None:
        heard[name] = asyncio.run(hear(engine, call(LINES[name]))).text

    threads = [threading.Thread(target=one_call, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert heard == {name: LINES[name].words for name in names}


async def test_calls_that_wait_together_are_decoded_together_and_get_their_own_words(engine: GatedEngine) -> None:
    names = ["hours", "yes", "refill", "number"]
    engine.gate.clear()
    streams = [engine.open() for _ in names]
    for name, stream in zip(names, streams, strict=True):
        await feed(stream, call(LINES[name]))
        stream.end_input()
    engine.gate.set()
    heard = [(await rest(stream)).text for stream in streams]
    assert heard == [LINES[name].words for name in names]
    assert max(len(batch) for batch in engine.batches) >= 3
    for batch in engine.batches:
        assert len({window_frames(len(clip.samples), OPTIONS) for clip in batch}) == 1


async def test_the_settled_go_before_the_partial_and_stale_partials_are_dropped(engine: GatedEngine) -> None:
    engine.gate.clear()
    blocking = engine.submit(Clip(np.zeros(1600, np.float32), 0, 0, 0.1), Urgency.SETTLE, None)
    talking, paused = engine.open(), engine.open()
    await feed(talking, np.concatenate((silence(0.3), LINES["book"].samples[: 3 * SPEECH_RATE])))
    await feed(paused, call(LINES["yes"]))
    partials = [asked for asked in engine.asked if asked.urgency is Urgency.PARTIAL and not asked.answer.cancelled()]
    assert len(partials) == 1, "only the newest partial of a stream may wait"
    engine.gate.set()
    blocking.result(30)
    engine.catch_up()
    order = [clip for batch in engine.batches for clip in batch]
    (settled,) = [asked for asked in engine.asked if asked.urgency is Urgency.SETTLE and asked.answer is not blocking]
    assert order.index(settled.clip) < order.index(partials[0].clip)
    for stream in (talking, paused):
        await stream.aclose()


async def test_closing_a_stream_takes_its_work_out_of_line(engine: GatedEngine) -> None:
    engine.gate.clear()
    blocking = engine.submit(Clip(np.zeros(1600, np.float32), 0, 0, 0.1), Urgency.SETTLE, None)
    stream = engine.open()
    await feed(stream, call(LINES["yes"]))
    await stream.aclose()
    await stream.aclose()
    stream.push(AudioChunk(LINES["yes"].samples, SPEECH_RATE))
    engine.gate.set()
    blocking.result(30)
    await settle()
    assert len(engine.asked) > 1
    assert all(asked.answer.cancelled() for asked in engine.asked[1:])
    assert sum(len(batch) for batch in engine.batches) == 1
    assert (await rest(stream)).text == ""


async def test_a_failed_decode_ends_only_its_own_stream(engine: GatedEngine) -> None:
    engine.gate.clear()
    unlucky, lucky = engine.open(), engine.open()
    await feed(unlucky, call(LINES["yes"]))
    engine.poison = engine.asked[-1].clip
    await feed(lucky, call(LINES["hours"]))
    lucky.end_input()
    engine.gate.set()
    with pytest.raises(EngineError, match="out of memory"):
        await rest(unlucky)
    assert (await rest(lucky)).text == LINES["hours"].words
    await unlucky.aclose()
    assert (await hear(engine, call(LINES["yes"]))).text == LINES["yes"].words


async def test_closing_the_engine_in_a_call_ends_the_stream_with_a_reason(engine: GatedEngine) -> None:
    stream = engine.open()
    engine.gate.clear()
    engine.submit(Clip(np.zeros(1600, np.float32), 0, 0, 0.1), Urgency.SETTLE, None)
    await feed(stream, call(LINES["yes"]))
    threading.Timer(0.2, engine.gate.set).start()
    engine.close()
    with pytest.raises(EngineDied):
        await rest(stream)
    with pytest.raises(EngineDied):
        await rest_of_a_new_stream(engine)
    with pytest.raises(EngineDied):
        engine.check()
    engine.load()
    engine.check()
    assert (await hear(engine, call(LINES["yes"]))).text == LINES["yes"].words


async def rest_of_a_new_stream(engine: FasterWhisperEngine) -> Hearing:
    """Feed a new stream a call, and return the rest of its events."""
    stream = engine.open()
    await feed(stream, call(LINES["yes"]))
    return await rest(stream)


async def test_audio_at_another_rate_is_refused(engine: GatedEngine) -> None:
    stream = engine.open()
    with pytest.raises(EngineError, match="16000 Hz, not 8000"):
        stream.push(AudioChunk(np.zeros(160, np.int16), 8_000))
    await stream.aclose()


def test_a_missing_model_and_a_broken_one_are_named(vad: SileroVad, stt_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"model\.bin"):
        FasterWhisperEngine(OPTIONS, tmp_path, vad).load()
    for path in stt_dir.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.bin").write_bytes((stt_dir / "model.bin").read_bytes()[:1000])
    with pytest.raises(EngineLoadFailed, match="could not be loaded"):
        FasterWhisperEngine(OPTIONS, tmp_path, vad).load()


def test_options_say_what_they_do_not_know() -> None:
    adapter = TypeAdapter(FasterWhisperOptions)
    nested = {"window_floor_s": 4, "segmenter": {"final_silence_ms": 300}, "guards": {"min_avg_logprob": -0.9}}
    assert adapter.validate_python(nested).segmenter.final_silence_ms == 300
    for wrong in ({"beam": 5}, {"segmenter": {"beam": 5}}, {"guards": {"beam": 5}}, {"device": "tpu"}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


def test_warming_up_runs_the_shortest_and_the_longest_window(engine: GatedEngine) -> None:
    engine.warm_up()
    warmed = [window_frames(len(clip.samples), OPTIONS) for batch in engine.batches for clip in batch]
    assert warmed == [2900, 400]


def test_a_gpu_is_warmed_in_every_window_that_a_call_can_ask_for() -> None:
    options = FasterWhisperOptions(device="cuda", window_floor_s=4.0)
    lengths = np.arange(0.1, options.segmenter.max_utterance_s, 0.05)
    assert set(windows_to_warm(options)) == {window_frames(round(s * SPEECH_RATE), options) for s in lengths}


@pytest.mark.parametrize("samples", [1, 16_000, 56_000, 56_001, 100_000, 440_000, 480_000, 700_000])
def test_windows_hold_the_clip_and_its_margin_in_whole_buckets(samples: int) -> None:
    frames = window_frames(samples, OPTIONS)
    assert 400 <= frames <= 3000
    assert frames % 100 == 0
    assert frames == 3000 or frames * 160 >= samples + 8_000
    assert frames == 400 or frames * 160 < samples + 8_000 + 16_000 or frames == 3000
