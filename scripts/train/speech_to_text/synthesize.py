"""Render callers' sentences with free synthesizers (Debian packages flite, espeak-ng) into shards of 16 kHz int16 audio.

A shard is NAME.npy (all samples in a row) and NAME.json (a row for each utterance: words, voice, samples, phones).
flite reports the end of each phone, which supervises the encoder frame by frame; espeak-ng's rows have null there.

    python -m scripts.train.speech_to_text.synthesize --seed 21 --count 3500 --engine flite --out data/flite_1
"""

import argparse
import json
import random
import subprocess
import tempfile
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from scripts.train.sentences.callers import Callers
from scripts.train.speech_to_text.simulated_calls import sentences
from serving.audio import SPEECH_RATE

EDGE_S = 0.05
"""Silence kept at both ends."""
FLITE_VOICES = ("kal16", "awb", "slt")
"""Training voices. flite's rms is never among them: the model is tested with it."""
ESPEAK_ACCENTS = ("en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc")
ESPEAK_VARIANTS = (
    *("", ""),
    *(f"+m{number}" for number in range(1, 8)),
    *(f"+f{number}" for number in range(1, 6)),
    *("+klatt", "+klatt2", "+klatt4"),
)
ESPEAK_VOICES = tuple(accent + variant for accent in ESPEAK_ACCENTS for variant in ESPEAK_VARIANTS)

Phones = list[tuple[str, float]]
"""Names and end times in seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """One utterance to render."""

    text: str
    voice: str
    tempo: float
    """flite: factor on durations. espeak-ng: words per minute."""
    pitch: int
    """espeak-ng only, 0 to 99."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One rendered utterance."""

    job: Job
    pcm: NDArray[np.int16]
    phones: Phones | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--engine", choices=["flite", "espeak"], required=True)
    parser.add_argument("--voices", nargs="*", help="default: the engine's training voices")
    parser.add_argument("--out", type=Path, required=True, help="path of the shard, without a suffix")
    options = parser.parse_args(arguments)
    voices = options.voices or (FLITE_VOICES if options.engine == "flite" else ESPEAK_VOICES)
    jobs = draw_jobs(random.Random(options.seed), options.seed, options.count, options.engine, voices)
    save(render_all(jobs, flite if options.engine == "flite" else espeak), options.out)


def draw_jobs(rng: random.Random, seed: int, count: int, engine: str, voices: Sequence[str]) -> list[Job]:
    """Half from the callers' grammar, half from the simulated calls, each with a voice and a tempo."""
    callers = Callers(rng)
    texts = [callers.sentence() for _ in range(count // 2)] + sentences(count - count // 2, seed)
    rng.shuffle(texts)
    spoken = [(text, rng.choice(voices)) for text in texts]
    if engine == "flite":
        return [Job(text, voice, rng.uniform(0.8, 1.25), 0) for text, voice in spoken]
    return [Job(text, voice, rng.randint(130, 200), rng.randint(30, 70)) for text, voice in spoken]


def render_all(jobs: Sequence[Job], render: Callable[[Job, Path], Utterance]) -> list[Utterance]:
    """All jobs, in order, on two cores; results shorter than 0.1 s or longer than 10 s are dropped."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        paths = [Path(folder) / f"{number}.wav" for number in range(len(jobs))]
        done = list(pool.map(_render_one, repeat(render), jobs, paths))
    return [utterance for utterance in done if 0.1 * SPEECH_RATE < len(utterance.pcm) < 10 * SPEECH_RATE]


def _render_one(render: Callable[[Job, Path], Utterance], job: Job, path: Path) -> Utterance:
    utterance = render(job, path)
    path.unlink()
    return utterance


def flite(job: Job, path: Path) -> Utterance:
    """Render with flite, with phone times; trimmed by the first and last pause."""
    command = ["flite", "-voice", job.voice, "-psdur", "--setf", f"duration_stretch={job.tempo}", "-t", job.text]
    done = subprocess.run([*command, "-o", str(path)], check=True, capture_output=True, text=True)
    phones = [(name, float(end)) for name, end in (item.rsplit(":", 1) for item in done.stdout.split())]
    start = max(0.0, phones[0][1] - EDGE_S) if phones[0][0] == "pau" else 0.0
    end = phones[-2][1] + EDGE_S if phones[-1][0] == "pau" and len(phones) > 1 else phones[-1][1]
    pcm = read_wav(path)[int(start * SPEECH_RATE) : int(end * SPEECH_RATE)]
    return Utterance(job, pcm.astype(np.int16), [(name, round(time - start, 3)) for name, time in phones])


def espeak(job: Job, path: Path) -> Utterance:
    """Render with espeak-ng, which reports no phone times; trimmed by loudness."""
    command = ["espeak-ng", "-v", job.voice, "-s", str(int(job.tempo)), "-p", str(job.pitch), "-w", str(path), job.text]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    pcm = read_wav(path)
    loud, edge = np.flatnonzero(np.abs(pcm) > 200), int(EDGE_S * SPEECH_RATE)
    if len(loud):
        pcm = pcm[max(0, loud[0] - edge) : loud[-1] + edge]
    return Utterance(job, pcm.astype(np.int16), None)


def read_wav(path: Path) -> NDArray[np.float32]:
    """Mono samples at 16 kHz with a peak of 20,000."""
    with wave.open(str(path)) as stream:
        rate = stream.getframerate()
        pcm = np.frombuffer(stream.readframes(stream.getnframes()), np.int16).astype(np.float32)
    if rate != SPEECH_RATE:
        pcm = resample_poly(pcm, SPEECH_RATE, rate)
    return pcm * (20_000 / max(np.abs(pcm).max(), 1))


def save(utterances: Sequence[Utterance], stem: Path) -> None:
    """Write stem.npy and stem.json."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    np.save(stem.with_suffix(".npy"), np.concatenate([utterance.pcm for utterance in utterances]))
    rows = [[u.job.text, u.job.voice, len(u.pcm), u.phones] for u in utterances]
    stem.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")
    hours = sum(len(utterance.pcm) for utterance in utterances) / SPEECH_RATE / 3600
    print(f"{stem.name}: {len(utterances)} utterances, {hours:.2f} h", flush=True)


if __name__ == "__main__":
    main()
