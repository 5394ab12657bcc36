"""Sounds over an agent's voice with exact onsets, from voices and noises that no model is trained on, clean and by telephone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import yaml
from scipy.signal import butter, fftconvolve, sosfilt

from scripts.acoustics.telephone import telephone
from scripts.bench.bargein import sounds
from scripts.bench.bargein.voices import VOICES, spoken, trimmed
from scripts.bench.echo.paths import PATHS, EchoPath, made_up_room, measured_rooms
from serving.audio import SPEECH_RATE, Pcm32

LINES = Path(__file__).with_name("lines.yaml")
LEAD_S, TAIL_S = 1.5, 1.2
MAX_SOUND_S = 3.0
"""Longer sounds are cut: every decision falls long before."""
LINE_KINDS = ("clean", "telephone")
MURMURS_EACH, HUMS, THROATS, THINGS, SIDE_TALKS, ECHOES, NOISE_CUTS = 18, 40, 60, 48, 32, 3, 6
INTERRUPTIONS_EACH, YES_BUTS_EACH = 16, 5


@dataclass(frozen=True, slots=True)
class Case:
    """A stretch of the caller's line while the agent is talking."""

    group: str
    line: str
    """"clean" or "telephone"."""
    is_interruption: bool
    samples: Pcm32
    """At 16 kHz; starts with LEAD_S of the quiet line."""
    onset_s: float
    """The exact start of the sound."""
    name: str
    """The sound, and who makes it."""


def cases(cache: Path, agent: list[Pcm32], real_speech: Path) -> Iterator[Case]:
    """All cases, the same every time. `agent`: sentences in the agent's voice, at SPEECH_RATE."""
    rng = np.random.default_rng(20)
    yield from _callers(rng, cache)
    for _ in range(HUMS):
        yield from _on_lines(rng, "backchannel", "hum", sounds.hum(rng), dbfs=(-34, -20))
    for number in range(THROATS):
        make = sounds.THROATS[number % len(sounds.THROATS)]
        yield from _on_lines(rng, "throat", make.__name__, make(rng), dbfs=(-34, -18))
    for number in range(THINGS):
        make = sounds.THINGS[number % len(sounds.THINGS)]
        yield from _on_lines(rng, "thing", make.__name__, make(rng), dbfs=(-38, -20))
    yield from _recorded(rng, real_speech / "noise")
    yield from _side_talk(rng, cache)
    yield from _echoes(agent, [*PATHS.values(), *measured_rooms(real_speech / "rooms")])


def _callers(rng: np.random.Generator, cache: Path) -> Iterator[Case]:
    lines = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    for group, key, each in (
        ("interruption", "interruptions", INTERRUPTIONS_EACH),
        ("yes-but", "yes_buts", YES_BUTS_EACH),
        ("backchannel", "backchannels", MURMURS_EACH),
    ):
        for place, voice in enumerate(VOICES):
            chosen = [lines[key][(place * 5 + number) % len(lines[key])] for number in range(each)]
            for text in chosen:
                yield from _on_lines(rng, group, f"{voice}: {text}", spoken(voice, text, cache), dbfs=(-32, -18))


def _recorded(rng: np.random.Generator, folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*.flac")):
        samples, _rate = soundfile.read(path, dtype="float32")
        for _ in range(NOISE_CUTS):
            start = rng.integers(0, max(1, len(samples) - 2 * SPEECH_RATE))
            cut = samples[start : start + 2 * SPEECH_RATE] * 1.0
            cut[:320] *= np.linspace(0, 1, 320)
            yield from _on_lines(rng, "recorded noise", path.stem, cut, dbfs=(-40, -24))


def _side_talk(rng: np.random.Generator, cache: Path) -> Iterator[Case]:
    lines = yaml.safe_load(LINES.read_text(encoding="utf-8"))["others"]
    for number in range(SIDE_TALKS):
        voice, text = VOICES[number % len(VOICES)], lines[number % len(lines)]
        room = made_up_room(rng.uniform(0.4, 0.8), number)
        room[: SPEECH_RATE // 400] *= 0.3  # far away: little direct sound
        distant = fftconvolve(spoken(voice, text, cache), room).astype(np.float32)
        distant = sosfilt(butter(2, rng.uniform(1800, 4500), fs=SPEECH_RATE, output="sos"), distant)
        yield from _on_lines(rng, "side talk", f"{voice}: {text}", distant, dbfs=(-50, -34))


def _echoes(agent: list[Pcm32], paths: list[EchoPath]) -> Iterator[Case]:
    for place, path in enumerate(paths):
        for number in range(ECHOES):
            said = trimmed(agent[(place * ECHOES + number) % len(agent)])
            said = levelled(said, -20.0)[: round(MAX_SOUND_S * SPEECH_RATE)]
            played = np.concatenate([_silence(LEAD_S), said, _silence(TAIL_S)])
            onset_s = LEAD_S + path.delay_s
            kind = "telephone" if path.is_telephone else "clean"
            yield Case("echo", kind, False, path.line(path.echo(played)), onset_s, path.name)


def _on_lines(
    rng: np.random.Generator, group: str, name: str, sound: Pcm32, *, dbfs: tuple[float, float]
) -> Iterator[Case]:
    """The sound over a quiet wideband line, and over a noisier telephone line."""
    heard = levelled(sound[: round(MAX_SOUND_S * SPEECH_RATE)], rng.uniform(*dbfs))
    whole = np.concatenate([_silence(LEAD_S), heard, _silence(TAIL_S)])
    for kind in LINE_KINDS:
        noise_dbfs = rng.uniform(-65, -55) if kind == "clean" else rng.uniform(-58, -45)
        noisy = whole + rng.normal(size=len(whole)).astype(np.float32) * 10 ** (noise_dbfs / 20)
        line = telephone(noisy.astype(np.float32)) if kind == "telephone" else np.clip(noisy, -1, 1)
        yield Case(group, kind, group in ("interruption", "yes-but"), line.astype(np.float32), LEAD_S, name)


def levelled(sound: Pcm32, dbfs: float) -> Pcm32:
    """The sound at that RMS level, or as loud as full scale allows."""
    gain = 10 ** (dbfs / 20) / float(np.sqrt(np.mean(np.square(sound))))
    return np.asarray(sound * min(gain, 0.99 / float(np.abs(sound).max())), dtype=np.float32)


def _silence(seconds: float) -> Pcm32:
    return np.zeros(round(seconds * SPEECH_RATE), np.float32)
