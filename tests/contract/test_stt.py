"""The STT engine against the seam, with the demo model: words, times and order."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
import pytest

from serving.audio import SPEECH_RATE, AudioChunk, Pcm16, pcm16
from serving.speech import SpeechEnded, SpeechStarted, Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperOptions
from serving.stt.hearing import Urgency
from serving.stt.segmenter import SegmenterOptions
from serving.vad.silero import SileroVad
from tests.contract.listening import Line, WatchedEngine, hear, lines, silence

pytestmark = pytest.mark.contract

LINES = lines()
INTERIM, PREFLIGHT, FINAL = TranscriptStage.INTERIM, TranscriptStage.PREFLIGHT, TranscriptStage.FINAL


@pytest.fixture(scope="module")
def engine(vad: SileroVad, stt_dir: Path) -> Iterator[WatchedEngine]:
    """The demo model, loaded."""
    engine = WatchedEngine(FasterWhisperOptions(window_floor_s=4.0), stt_dir, vad)
    engine.load()
    engine.check()
    yield engine
    engine.close()


def padded(line: Line) -> tuple[Pcm16, Pcm16, Pcm16]:
    """A line with half a second of quiet before it and 0.7 s after it."""
    return silence(0.5), line.samples, silence(0.7)


async def test_callers_are_understood(engine: WatchedEngine) -> None:
    heard = [(await hear(engine, *padded(line))).text for line in LINES.values()]
    assert jiwer.wer([line.words for line in LINES.values()], heard) < 0.05


@pytest.mark.parametrize("name", ["book", "number", "yes"])
async def test_an_utterance_is_told_in_order(engine: WatchedEngine, name: str) -> None:
    asked_before = len(engine.asked)
    hearing = await hear(engine, *padded(LINES[name]))
    events = [event for _, event in hearing.events]
    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[-1], SpeechEnded)
    transcripts = [event for event in events[1:-1] if isinstance(event, Transcript)]
    assert len(transcripts) == len(events) - 2
    assert [t.stage for t in transcripts[-2:]] == [PREFLIGHT, FINAL]
    assert {t.stage for t in transcripts[:-2]} == {INTERIM}
    preflight, final = transcripts[-2:]
    assert preflight.words == final.words
    assert preflight.text == final.text == " ".join(word.text for word in final.words)
    settled = [asked for asked in engine.asked[asked_before:] if asked.urgency is Urgency.SETTLE]
    assert len(settled) == 1, "the final must not be decoded again"


async def test_words_come_while_the_caller_speaks_and_the_final_soon_after(engine: WatchedEngine) -> None:
    line = LINES["book"]
    hearing = await hear(engine, *padded(line))
    end_s = 0.5 + line.speech_end_s
    interims, (preflight,), (final,) = hearing.of(INTERIM), hearing.of(PREFLIGHT), hearing.of(FINAL)
    assert hearing.time_of(interims[0]) < 1.6
    assert len([t for t in interims if hearing.time_of(t) < end_s]) >= 8
    assert end_s + 0.03 < hearing.time_of(preflight) < end_s + 0.2
    assert hearing.time_of(preflight) < hearing.time_of(final) < end_s + 0.33


@pytest.mark.parametrize("name", list(LINES))
async def test_agreed_words_never_change(engine: WatchedEngine, name: str) -> None:
    interims = (await hear(engine, *padded(LINES[name]))).of(INTERIM)
    agreed = [[word.text for word in interim.words[: interim.agreed_words]] for interim in interims]
    assert all(later[: len(sooner)] == sooner for sooner, later in itertools.pairwise(agreed))
    if name != "yes":
        assert len(agreed[-1]) >= 3


@pytest.mark.parametrize("name", list(LINES))
async def test_words_are_timed_in_order_within_the_speech(engine: WatchedEngine, name: str) -> None:
    line = LINES[name]
    hearing = await hear(engine, *padded(line))
    (final,) = hearing.of(FINAL)
    for transcript in [*hearing.of(INTERIM), final]:
        times = [time for word in transcript.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert transcript.start_s <= times[0]
        assert times[-1] <= transcript.end_s
    assert final.start_s == pytest.approx(0.55, abs=0.15)
    assert final.end_s == pytest.approx(0.5 + line.speech_end_s, abs=0.12)
    assert final.words[-1].end_s == pytest.approx(0.5 + line.speech_end_s, abs=0.12)
    assert 0.0 < final.words[-1].end_s - final.words[-1].start_s < 1.2
    assert final.agreed_words == len(final.words)
    assert 0.5 < final.confidence <= 1.0
    assert final.decode_s > 0.0


def clicks(seconds: float) -> Pcm16:
    """Keyboard clicks: bursts of 6 ms, eight a second."""
    rng = np.random.default_rng(3)
    track = rng.normal(0, 3e-4, round(seconds * SPEECH_RATE))
    for at in rng.integers(0, len(track) - 96, round(8 * seconds)):
        track[at : at + 96] += rng.normal(0, 0.5, 96) * np.exp(-np.arange(96) / 20)
    return pcm16(track.astype(np.float32))


def noise(dbfs: float) -> Pcm16:
    """Two seconds of white noise."""
    return pcm16(np.random.default_rng(4).normal(0, 10 ** (dbfs / 20), 2 * SPEECH_RATE).astype(np.float32))


@pytest.mark.parametrize(
    "sound",
    [np.zeros(2 * SPEECH_RATE, np.int16), clicks(2), noise(-50), noise(-30), noise(-12)],
    ids=["zeros", "clicks", "hiss", "noise", "loud"],
)
async def test_sound_without_words_gives_no_words(engine: WatchedEngine, sound: Pcm16) -> None:
    hearing = await hear(engine, sound, silence(0.6))
    assert [t.text for stage in TranscriptStage for t in hearing.of(stage) if t.text] == []
    # nor must it become words if the VAD lets it through
    assert engine.recognise(AudioChunk(sound, SPEECH_RATE).to_float()) == ()


async def test_speech_without_words_ends_in_an_empty_final(vad: SileroVad, stt_dir: Path) -> None:
    every_word_unsure = WatchedEngine(unsure_options(), stt_dir, vad)
    every_word_unsure.load()
    hearing = await hear(every_word_unsure, *padded(LINES["yes"]))
    every_word_unsure.close()
    events = [event for _, event in hearing.events]
    assert [type(event) for event in events] == [SpeechStarted, Transcript, SpeechEnded]
    (final,) = hearing.of(FINAL)
    assert (final.text, final.words, final.confidence) == ("", (), 0.0)


def unsure_options() -> FasterWhisperOptions:
    """Options under which no words are probable enough."""
    from serving.stt.guards import GuardOptions

    return FasterWhisperOptions(window_floor_s=4.0, guards=GuardOptions(min_avg_logprob=0.0))


async def test_a_caller_who_goes_on_within_the_pause_gets_one_final(engine: WatchedEngine) -> None:
    first, second = LINES["yes"], LINES["hours"]
    hearing = await hear(engine, silence(0.5), trimmed(first), silence(0.12), trimmed(second), silence(0.7))
    (final,) = hearing.of(FINAL)
    assert final.text == f"{first.words} {second.words}"
    assert len(hearing.of(PREFLIGHT)) == 2
    assert hearing.of(PREFLIGHT)[0].text == first.words


async def test_a_longer_pause_makes_two_finals_in_order(engine: WatchedEngine) -> None:
    first, second = LINES["yes"], LINES["hours"]
    hearing = await hear(engine, silence(0.5), first.samples, silence(0.6), second.samples, silence(0.7))
    assert [final.text for final in hearing.of(FINAL)] == [first.words, second.words]
    kinds = [type(event) for _, event in hearing.events if not isinstance(event, Transcript)]
    assert kinds == [SpeechStarted, SpeechEnded, SpeechStarted, SpeechEnded]


def trimmed(line: Line) -> Pcm16:
    """The line from its first to its last sound."""
    return line.samples[800 : round(line.speech_end_s * SPEECH_RATE)]


async def test_a_flush_brings_the_final_at_once_and_the_rest_follows(engine: WatchedEngine) -> None:
    line = LINES["headache"]
    hearing = await hear(engine, *padded(line), flush_at_s=[2.9])
    first, second = hearing.of(FINAL)
    assert hearing.time_of(first) == pytest.approx(2.9, abs=0.05)
    assert jiwer.wer(line.words, f"{first.text} {second.text}") < 0.35  # the word that was cut may be misheard


async def test_the_end_of_input_brings_the_final(engine: WatchedEngine) -> None:
    line = LINES["refill"]
    hearing = await hear(engine, silence(0.5), line.samples[: round((line.speech_end_s + 0.02) * SPEECH_RATE)])
    assert hearing.text == line.words
    assert isinstance(hearing.events[-1][1], SpeechEnded)


async def test_a_caller_who_never_pauses_loses_no_words(vad: SileroVad, stt_dir: Path) -> None:
    segmenter = SegmenterOptions(max_utterance_s=6.0, cut_search_s=2.0)
    engine = WatchedEngine(FasterWhisperOptions(window_floor_s=4.0, segmenter=segmenter), stt_dir, vad)
    engine.load()
    said = [LINES[name] for name in ("book", "cancel", "headache", "refill")]
    hearing = await hear(engine, silence(0.5), *(trimmed(line) for line in said), silence(0.7))
    engine.close()
    finals = hearing.of(FINAL)
    assert len(finals) >= 3
    assert all(final.end_s - final.start_s <= 6.0 for final in finals)
    assert all(later.start_s >= sooner.end_s - 0.001 for sooner, later in itertools.pairwise(finals))
    assert jiwer.wer(" ".join(line.words for line in said), hearing.text) < 0.12
