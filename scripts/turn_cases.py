"""Utterances for judging end-of-turn detectors: finished ones, and the same ones cut where the caller is about to go on.

Synthetic callers are rendered with free synthesizers (Debian packages flite and espeak-ng) into `.cache/bench_turn`. Real
speech is used where `../shared/real-speech` exists.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from serving.audio import SPEECH_RATE, Pcm32

CACHE = Path(".cache/bench_turn")
SHIPPED = Path(__file__).parents[1] / "models" / "demo" / "callers"
REAL_SPEECH = Path("../shared/real-speech")
_NOISE_DBFS = -62.0
_LEVEL_DBFS = -20.0

FLITE = ("rms", "awb", "kal16")
ESPEAK = ("en-us+m3", "en-gb+f4")
UTTERANCES = (
    "i would like to | book an appointment with | doctor chen.",
    "can i make an appointment | for tuesday | at half past ten?",
    "i need to cancel | my appointment with | doctor patel.",
    "i need to um | reschedule my appointment | from monday to | friday.",
    "my name is | robert | wilson.",
    "my phone number is | five five five | one two | three four.",
    "my date of birth is | march | third | nineteen seventy two.",
    "i have a headache | and | a sore throat.",
    "i have had back pain | since | last week.",
    "can you refill my | metformin prescription?",
    "i ran out of | ibuprofen and uh | i need more.",
    "are my | blood test results | ready?",
    "do you take | private insurance?",
    "what are your | opening hours on | saturday?",
    "do i need to | fast before | my blood test?",
    "i want to speak to | a nurse | please.",
    "is doctor garcia | available on | thursday afternoon?",
    "tomorrow morning at | nine o'clock | works for me.",
    "no i said | friday not | thursday.",
    "well um | i think i would like | the second one.",
    "it hurts when | i walk.",
    "i am taking aspirin | twice | a day.",
    "please call me back at | seven seven one | nine two zero four.",
    "where can i | park?",
    "hello i am calling about | my daughter.",
    "could you please | repeat that?",
    "i am allergic to | amoxicillin.",
    "thank you | that is all.",
    "yes please.",
    "no thank you.",
    "that works for me.",
    "what time do you close?",
    "next monday.",
    "goodbye.",
)
"""What callers say; a bar marks where one may pause and go on."""


@dataclass(frozen=True, slots=True)
class TurnCase:
    """What a detector is given, and the truth."""

    group: str
    ended: bool
    samples: Pcm32
    """16 kHz, up to the given silence after the last sound."""


def shipped_cases(silence_s: float) -> Iterator[TurnCase]:
    """The lines of the simulated callers: all of them finished."""
    for voice in ("rms", "awb", "kal16", "espeak"):
        for path in sorted((SHIPPED / voice).glob("*.flac")):
            samples, _ = soundfile.read(path, dtype="float32")
            yield TurnCase(f"shipped {voice}", True, _paused(_trimmed(samples), silence_s))


def synthetic_cases(silence_s: float) -> Iterator[TurnCase]:
    """Every utterance by every voice, whole and cut at each bar. Exits if a synthesizer is missing."""
    missing = [program for program in ("flite", "espeak-ng") if shutil.which(program) is None]
    if missing:
        sys.exit(f"Missing: {', '.join(missing)}. Install the Debian packages: apt-get install {' '.join(missing)}")
    for voice in (*FLITE, *ESPEAK):
        for utterance in UTTERANCES:
            *parts, _ = utterance.split("|")
            text = " ".join(utterance.replace("|", " ").split())
            whole = _rendered(voice, text)
            yield TurnCase(voice, True, _paused(whole, silence_s))
            for count in range(1, len(parts) + 1):
                prefix = " ".join(" ".join(parts[:count]).split())
                cut = _flite_cut(voice, text, prefix) if voice in FLITE else _rendered(voice, prefix + ",")
                if cut is not None:
                    yield TurnCase(voice, False, _paused(cut, silence_s))


def real_cases(silence_s: float) -> Iterator[TurnCase]:
    """Read sentences and questions, whole and cut at each pause (or the quietest place of their middle)."""
    for path in sorted((REAL_SPEECH / "utterances").glob("*.flac")):
        samples, _ = soundfile.read(path, dtype="float32")
        spoken = _trimmed(samples)
        yield TurnCase("real sentences", True, _paused(spoken, silence_s))
        for cut in _pauses(spoken) or [_dip(spoken)]:
            yield TurnCase("real sentences", False, _paused(_trimmed(spoken[:cut]), silence_s))


def _rendered(voice: str, text: str) -> Pcm32:
    return _trimmed(_speak(voice, text)[0])


def _flite_cut(voice: str, text: str, prefix: str) -> Pcm32 | None:
    """The utterance up to the end of `prefix`, in the utterance's own melody; None if flite says the prefix otherwise."""
    samples, phones = _speak(voice, text)
    _, prefix_phones = _speak(voice, prefix)
    count = len([name for name, _ in prefix_phones if name != "pau"])
    spoken = [(name, end) for name, end in phones if name != "pau"]
    if count >= len(spoken):
        return None
    return _trimmed(samples[: round(spoken[count - 1][1] * SPEECH_RATE)])


def _speak(voice: str, text: str) -> tuple[Pcm32, list[tuple[str, float]]]:
    """Sound at 16 kHz, and flite's phones with the time each ends."""
    stem = CACHE / hashlib.sha256(f"{voice}|{text}".encode()).hexdigest()[:16]
    wav, phones = stem.with_suffix(".wav"), stem.with_suffix(".txt")
    if not phones.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        if voice in FLITE:
            command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(wav)]
        else:
            command = ["espeak-ng", "-v", voice, "-s", "150", "-w", str(wav), text]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        phones.write_text(done.stdout if voice in FLITE else "")
    samples, rate = soundfile.read(wav, dtype="float32")
    if rate != SPEECH_RATE:
        samples = soxr.resample(samples, rate, SPEECH_RATE)
    pairs = (item.rsplit(":", 1) for item in phones.read_text().split())
    return np.asarray(samples, dtype=np.float32), [(name, float(end)) for name, end in pairs]


def _trimmed(samples: Pcm32) -> Pcm32:
    """Without silence at either end, at the common level."""
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    spoken = samples[loud[0] : loud[-1] + 1]
    level = np.sqrt(np.mean(np.square(spoken)))
    return np.asarray(spoken * (10 ** (_LEVEL_DBFS / 20) / level), dtype=np.float32)


def _paused(samples: Pcm32, silence_s: float) -> Pcm32:
    """With a little silence before it, the pause after it, and a quiet line's noise under all."""
    edge, pause = np.zeros(SPEECH_RATE // 4), np.zeros(round(silence_s * SPEECH_RATE))
    padded = np.concatenate([edge, samples, pause])
    noise = np.random.default_rng(len(samples)).normal(0.0, 10 ** (_NOISE_DBFS / 20), len(padded))
    return np.asarray(padded + noise, dtype=np.float32)


def _dip(samples: Pcm32) -> int:
    """The quietest 40 ms between 40 and 70 % of an utterance: most likely between two words."""
    window = SPEECH_RATE // 25
    energy = np.convolve(np.square(samples), np.ones(window), "valid")
    low, high = int(0.4 * len(energy)), int(0.7 * len(energy))
    return low + int(np.argmin(energy[low:high])) + window // 2


def _pauses(samples: Pcm32) -> list[int]:
    """Where the speaker falls silent for 0.15 s or longer in mid-utterance: the starts of the pauses, in samples."""
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    gaps = np.flatnonzero(np.diff(loud) > 0.15 * SPEECH_RATE)
    return [int(loud[gap]) + 1 for gap in gaps if loud[gap] > 0.5 * SPEECH_RATE]
