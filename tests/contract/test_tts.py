"""The speech engine against the seam, on the real demo voice."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import soxr
from faster_whisper import WhisperModel
from pydantic import TypeAdapter, ValidationError

from serving.audio import Pcm16
from serving.engine import TtsEngine
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.speech import Word
from serving.tts.piper import PiperEngine, PiperOptions

pytestmark = pytest.mark.contract

DEMO = Path(__file__).parents[2] / "models" / "demo"
VOICE = DEMO / "text_to_speech"
AWKWARD = (
    "Of the five doctors, I can see you on the 3rd of May at 10:30.",
    "Dr. Smith is in. He isn't free, is he?",
    "It costs $45.50 - that's 12% off!",
    "I am going to be at the end of the road for an hour and it is what it is.",
    '"Quoted" text … okay — and so on; is it?',
    "St. John's e-mail: bob@example.com (yes) & X-rays.",
    "A B C D E F G 1 2 3 4 5 6 7",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[TtsEngine]:
    """The demo voice, loaded."""
    engine = PiperEngine(PiperOptions(), VOICE)
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


async def speak(engine: TtsEngine, *pieces: str) -> tuple[Pcm16, list[Word]]:
    """The pieces as one reply: all samples and all words."""
    stream = engine.open()
    for piece in pieces:
        stream.push(piece)
    stream.end_input()
    chunks = [chunk async for chunk in stream]
    await stream.aclose()
    assert all(chunk.audio.sample_rate == engine.sample_rate for chunk in chunks)
    assert all(chunk.audio.samples.dtype == np.int16 for chunk in chunks)
    samples = np.concatenate([np.zeros(0, dtype=np.int16), *(chunk.audio.samples for chunk in chunks)])
    return samples, [word for chunk in chunks for word in chunk.words]


@pytest.mark.parametrize("text", AWKWARD)
async def test_every_word_has_an_ordered_time_inside_the_audio(engine: TtsEngine, text: str) -> None:
    samples, words = await speak(engine, text)
    assert [word.text for word in words] == text.split()
    edges = [edge for word in words for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert edges[0] >= 0.0
    assert edges[-1] <= len(samples) / engine.sample_rate
    spoken = [word for word in words if any(letter.isalnum() for letter in word.text)]
    assert all(word.end_s - word.start_s > 0.02 for word in spoken)


async def test_speech_begins_at_once_and_ends_without_a_tail(engine: TtsEngine) -> None:
    samples, _ = await speak(engine, "Thank you for calling.")
    loud = np.flatnonzero(np.abs(samples) > 400)
    assert loud[0] / engine.sample_rate < 0.03
    assert (len(samples) - loud[-1]) / engine.sample_rate < 0.1


async def test_words_parted_by_pauses_are_timed_by_their_sound(engine: TtsEngine) -> None:
    names = ["Monday,", "Tuesday,", "Wednesday,", "Thursday,", "Friday."]
    samples, words = await speak(engine, *names)
    for word in words:
        inside = samples[round((word.start_s + 0.02) * engine.sample_rate) : round(word.end_s * engine.sample_rate)]
        assert np.sqrt(np.mean(np.square(inside.astype(float)))) > 1_000
    for before, after in itertools.pairwise(words):
        middle_s = (before.end_s + after.start_s) / 2
        around = samples[round((middle_s - 0.02) * engine.sample_rate) : round((middle_s + 0.02) * engine.sample_rate)]
        assert np.abs(around).max() < 400


@pytest.mark.parametrize("rate", [16_000, 24_000])
async def test_a_word_after_a_pause_begins_where_its_sound_does(rate: int) -> None:
    """Within 20 ms for words with a voiced onset; a stop or a weak fricative begins before it can be heard."""
    engine = PiperEngine(PiperOptions(room_rate=rate), VOICE)
    engine.load()
    try:
        samples, words = await speak(engine, "Anna, one, Emma, eight, Lena, nine, Mary, and all, were there.")
    finally:
        engine.close()
    step = rate // 200
    loud = np.sqrt(np.mean(np.square(samples[: len(samples) // step * step].reshape(-1, step).astype(float)), axis=1))
    for before, word in itertools.pairwise(words):
        if before.text.endswith(","):
            silent = np.flatnonzero(loud[: round((word.start_s + 0.1) * 200)] < 180)
            assert word.start_s == pytest.approx((silent[-1] + 1) / 200, abs=0.02), word.text


async def test_audio_cut_at_a_words_end_holds_the_words_before_it(engine: TtsEngine) -> None:
    """As a listener hears it: the demo STT hears the words up to the cut, give or take one."""
    listener = WhisperModel(str(DEMO / "speech_to_text"), device="cpu", compute_type="int8", cpu_threads=1)
    text = "nine one three eight six two seven five four one"
    samples, words = await speak(engine, text)
    heard = []
    for word in words[2:]:
        cut = samples[: round(word.end_s * engine.sample_rate)].astype(np.float32) / 32768
        audio = np.concatenate([soxr.resample(cut, engine.sample_rate, 16_000), np.zeros(8_000, dtype=np.float32)])
        segments, _ = listener.transcribe(audio, beam_size=1, temperature=0.0, without_timestamps=True)
        heard.append(len(" ".join(segment.text for segment in segments).split()))
    wrong = [abs(count - at) for at, count in enumerate(heard, start=3)]
    assert sum(amount <= 1 for amount in wrong) >= 0.9 * len(wrong)


async def test_joins_do_not_click(engine: TtsEngine) -> None:
    samples, _ = await speak(engine, "We are open", "from nine to five", "on weekdays.")
    one_piece, _ = await speak(engine, "We are open from nine to five on weekdays.")
    steepest = np.abs(np.diff(one_piece.astype(int))).max()
    assert np.abs(np.diff(samples.astype(int))).max() <= 1.5 * steepest


async def test_text_without_sound_gives_no_audio_and_no_error(engine: TtsEngine) -> None:
    for pieces in ([], [""], ["."], [" … "], ["😀"], ["—", "👍🏽"]):
        samples, words = await speak(engine, *pieces)
        assert len(samples) == 0
        assert words == []


async def test_an_emoji_is_not_read_aloud(engine: TtsEngine) -> None:
    with_it, words = await speak(engine, "Great 😀 see you")
    without, _ = await speak(engine, "Great see you")
    assert abs(len(with_it) - len(without)) < 0.15 * len(without)
    assert [word.text for word in words] == ["Great", "😀", "see", "you"]


async def test_closing_stops_the_rest(engine: TtsEngine) -> None:
    stream = engine.open()
    for _ in range(50):
        stream.push("The doctor can see you on Tuesday at half past ten.")
    heard = 0
    async for _ in stream:
        heard += 1
        await stream.aclose()
    assert heard == 1
    samples, _ = await asyncio.wait_for(speak(engine, "Next call."), 10)
    assert len(samples) > 0


async def test_calls_at_once_do_not_mix(engine: TtsEngine) -> None:
    texts = [f"This is call number {number}." for number in ("one", "two", "three", "four")]
    spoken = await asyncio.gather(*(speak(engine, text) for text in texts))
    assert [" ".join(word.text for word in words) for _, words in spoken] == texts


async def test_workers_at_once_do_not_mix_either() -> None:
    engine = PiperEngine(PiperOptions(workers=3, cache_s=0.0), VOICE)
    engine.load()
    texts = [f"This is call number {number}, please hold the line." for number in range(12)]
    spoken = await asyncio.gather(*(speak(engine, text) for text in texts))
    engine.close()
    assert [" ".join(word.text for word in words) for _, words in spoken] == texts


async def test_a_text_that_comes_again_sounds_the_same(engine: TtsEngine) -> None:
    first, _ = await speak(engine, "Thank you for calling the clinic.")
    again, _ = await speak(engine, "Thank you for calling the clinic.")
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
async def test_the_rooms_rate_does_not_change_times(rate: int) -> None:
    engine = PiperEngine(PiperOptions(room_rate=rate, noise_scale=0.0, noise_w=0.0), VOICE)
    engine.load()
    samples, words = await speak(engine, "One moment please.")
    engine.close()
    assert len(samples) / rate == pytest.approx(1.1, abs=0.4)
    assert words[-1].end_s == pytest.approx(len(samples) / rate, abs=0.08)


async def test_tempo_changes_the_length() -> None:
    lengths = {}
    for tempo in (1.0, 1.5):
        engine = PiperEngine(PiperOptions(tempo=tempo, noise_scale=0.0, noise_w=0.0), VOICE)
        engine.load()
        lengths[tempo] = len((await speak(engine, "We are open from nine to five on weekdays."))[0])
        engine.close()
    assert lengths[1.0] / lengths[1.5] == pytest.approx(1.5, abs=0.2)


async def test_closed_it_says_so_and_loads_again() -> None:
    engine = PiperEngine(PiperOptions(), VOICE)
    engine.load()
    engine.close()
    engine.close()
    with pytest.raises(EngineDied):
        engine.check()
    with pytest.raises(EngineError):
        await speak(engine, "Hello.")
    engine.load()
    engine.check()
    engine.close()


def test_no_voice_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(EngineLoadFailed, match="No Piper voice"):
        PiperEngine(PiperOptions(), tmp_path).load()


def test_a_voice_without_its_settings(tmp_path: Path) -> None:
    shutil.copy(VOICE / "en_US-demo-low.onnx", tmp_path)
    with pytest.raises(EngineLoadFailed, match=r"en_US-demo-low\.onnx\.json is missing"):
        PiperEngine(PiperOptions(), tmp_path).load()


def test_several_voices_and_none_chosen(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(VOICE / "en_US-demo-low.onnx", tmp_path / f"{name}.onnx")
        shutil.copy(VOICE / "en_US-demo-low.onnx.json", tmp_path / f"{name}.onnx.json")
    with pytest.raises(EngineLoadFailed, match="one, two"):
        PiperEngine(PiperOptions(), tmp_path).load()
    chosen = PiperEngine(PiperOptions(voice="two"), tmp_path)
    chosen.load()
    chosen.check()
    chosen.close()


def test_broken_files_are_refused_by_name(tmp_path: Path) -> None:
    shutil.copy(VOICE / "en_US-demo-low.onnx.json", tmp_path / "v.onnx.json")
    (tmp_path / "v.onnx").write_bytes(b"not a voice")
    with pytest.raises(EngineLoadFailed, match=r"v\.onnx"):
        PiperEngine(PiperOptions(), tmp_path).load()
    shutil.copy(VOICE / "en_US-demo-low.onnx", tmp_path / "v.onnx")
    (tmp_path / "v.onnx.json").write_text("{not json")
    with pytest.raises(EngineLoadFailed, match=r"v\.onnx\.json"):
        PiperEngine(PiperOptions(), tmp_path).load()


def test_a_voice_that_does_not_tell_durations_is_refused(tmp_path: Path) -> None:
    model = onnx.load(str(VOICE / "en_US-demo-low.onnx"))
    del model.graph.output[1]
    for node in model.graph.node:
        if node.op_type == "Ceil":
            node.op_type = "Round"
    onnx.save(model, str(tmp_path / "v.onnx"))
    shutil.copy(VOICE / "en_US-demo-low.onnx.json", tmp_path / "v.onnx.json")
    with pytest.raises(EngineLoadFailed, match="how long each phoneme lasts"):
        PiperEngine(PiperOptions(), tmp_path).load()


def test_a_voice_as_piper_publishes_it_is_opened_up_for_durations(tmp_path: Path) -> None:
    model = onnx.load(str(VOICE / "en_US-demo-low.onnx"))
    if any(node.op_type == "Ceil" for node in model.graph.node):
        del model.graph.output[1]
        onnx.save(model, str(tmp_path / "v.onnx"))
        shutil.copy(VOICE / "en_US-demo-low.onnx.json", tmp_path / "v.onnx.json")
        engine = PiperEngine(PiperOptions(), tmp_path)
        engine.load()
        engine.check()
        engine.close()


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError, match="speed"):
        TypeAdapter(PiperOptions).validate_python({"speed": 2})
