"""How soon and how fast the speech engine speaks, and how exact its word times are: `python -m scripts.bench.tts`.

Time to the first audio of typical replies, pushed clause by clause, beside Piper's own synthesis of the whole reply in the
same run; processor time per second of speech; and word times, checked in two ways that do not depend on them: against the
sound itself (words separated by pauses), and by what the demo's recogniser hears in audio cut off after each word.
"""

import asyncio
import itertools
import statistics
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import soxr
import typer
from faster_whisper import WhisperModel
from piper import PiperVoice

from scripts.bench.machine import this_machine
from scripts.command_line import console, new_app
from scripts.figures import milliseconds
from scripts.paths import DEMO
from serving.audio import SPEECH_RATE, Pcm16
from serving.speech import Word
from serving.tts.piper import PiperEngine, PiperOptions

REPLIES = (
    ("Of course.", "Which doctor would you like to see,", "and on which day?"),
    ("On Tuesday, doctor Chen is free at ten thirty,", "or at a quarter past two.", "Which one suits you?"),
    ("You are booked with doctor Patel,", "on Thursday the fifth of May at half past nine.", "Is there anything else?"),
    ("We are open from eight to six on weekdays,", "and from nine to one on Saturdays."),
    ("I have sent the refill for your lisinopril to the pharmacy,", "and it will be ready tomorrow after three."),
    ("I am sorry,", "I did not find an appointment under that name.", "Could you spell your last name for me, please?"),
)
PARTED = ("Monday,", "Tuesday,", "appointment,", "doctor,", "fifteen,", "thank you,", "pharmacy,", "insurance.")
HEARD = (
    "four seven one nine two zero five",
    "my phone number is five two seven one nine zero four",
    "nine one three eight six two seven five four one",
    "it is two zero nine four seven one six",
    "call me at eight five three one two nine six",
)
"""Sentences whose next word a recogniser cannot guess."""
app = new_app()


async def speak(engine: PiperEngine, pieces: tuple[str, ...]) -> tuple[float, Pcm16, list[Word]]:
    """Seconds to the first audio, all samples, all words."""
    began = time.perf_counter()
    stream = engine.open()
    for piece in pieces:
        stream.push(piece)
    stream.end_input()
    first_s, chunks = 0.0, []
    async for chunk in stream:
        first_s = first_s or time.perf_counter() - began
        chunks.append(chunk)
    samples = np.concatenate([chunk.audio.samples for chunk in chunks])
    return first_s, samples, [word for chunk in chunks for word in chunk.words]


def whole_reply_s(voice: PiperVoice, pieces: tuple[str, ...]) -> float:
    """Seconds that Piper takes for the whole reply, plus its leading silence."""
    began = time.perf_counter()
    chunks = list(voice.synthesize(" ".join(pieces)))
    took_s = time.perf_counter() - began
    loud = np.flatnonzero(np.abs(chunks[0].audio_float_array) > 0.01)
    return took_s + float(loud[0]) / chunks[0].sample_rate


async def speed(engine: PiperEngine, voice: PiperVoice, rounds: int) -> None:
    """Print times to the first sound, their ratio, and processor time per second of speech."""
    ours: list[float] = []
    stock: list[float] = []
    cpu_s = spoken_s = 0.0
    for pieces in REPLIES * rounds:
        began = time.process_time()
        first_s, samples, _ = await speak(engine, pieces)
        cpu_s += time.process_time() - began
        spoken_s += len(samples) / engine.sample_rate
        lead = np.flatnonzero(np.abs(samples) > 327)[0] / engine.sample_rate
        ours.append(first_s + float(lead))
        stock.append(whole_reply_s(voice, pieces))
    ratio = statistics.median(a / b for a, b in zip(ours, stock, strict=True))
    print(f"{len(ours)} replies of {spoken_s / len(ours):.1f} s on average, nothing cached; time to the first sound")
    for name, values_s in (("clause by clause", ours), ("Piper, whole reply", stock)):
        p50, p95 = (milliseconds(values_s, percent, digits=1) for percent in (50, 95))
        print(f"  {name:<20} p50 {p50:>9}   p95 {p95:>9}")
    print(f"  ratio (median)       {ratio:.2f}")
    print(f"  processor time per second of speech: {cpu_s / spoken_s:.4f} s")


async def parted_words(engine: PiperEngine) -> None:
    """Print how far word starts and ends are from those of the sound, for words with silence around them."""
    errors_ms: list[float] = []
    for piece in PARTED:
        _, samples, words = await speak(engine, (piece,))
        loud = np.flatnonzero(np.abs(samples) > 1_000) / engine.sample_rate
        errors_ms += [abs(words[0].start_s - loud[0]) * 1e3, abs(words[-1].end_s - loud[-1]) * 1e3]
    print(
        f"word edges against the sound's: median {statistics.median(errors_ms):.0f} ms, worst {max(errors_ms):.0f} ms"
    )


async def recognised_prefixes(engine: PiperEngine) -> None:
    """Print how many words a recogniser hears in audio cut off after each word, against how many there are."""
    model = WhisperModel(str(DEMO / "speech_to_text"), device="cpu", compute_type="int8", cpu_threads=1)
    off: list[int] = []
    for text in HEARD:
        _, samples, words = await speak(engine, (text,))
        for count, word in itertools.islice(enumerate(words, start=1), 3, None):
            cut = samples[: round(word.end_s * engine.sample_rate)].astype(np.float32) / 32768
            audio = soxr.resample(
                np.concatenate([cut, np.zeros(engine.sample_rate // 2)]), engine.sample_rate, SPEECH_RATE
            )
            segments, _ = model.transcribe(
                audio.astype(np.float32), beam_size=1, temperature=0.0, without_timestamps=True
            )
            off.append(len(" ".join(segment.text for segment in segments).split()) - count)
    shares = {amount: sum(abs(value) <= amount for value in off) / len(off) for amount in (0, 1)}
    print(
        f"words recognised in audio cut at a word's end ({len(off)} cuts): right {shares[0]:.0%}, within one {shares[1]:.0%}"
    )


@app.command()
def main(
    voice: Annotated[Path, typer.Option(help="folder of a Piper voice")] = DEMO / "text_to_speech",
    rounds: Annotated[int, typer.Option(help="how often each reply is spoken")] = 5,
) -> None:
    """Measure how soon and how fast speech is synthesized, and how exact its word times are."""
    engine = PiperEngine(PiperOptions(cache_s=0.0), voice)
    engine.load()
    engine.warm_up()
    stock = PiperVoice.load(next(voice.glob("*.onnx")))
    whole_reply_s(stock, REPLIES[0])
    console.print(this_machine().short, highlight=False)
    asyncio.run(speed(engine, stock, rounds))
    asyncio.run(parted_words(engine))
    asyncio.run(recognised_prefixes(engine))
    engine.close()


if __name__ == "__main__":
    app()
