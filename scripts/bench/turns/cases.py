"""The turns of the end-of-turn bench as they arrive: a caller's words with pauses of known length, over a line."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.acoustics.telephone import telephone
from scripts.bench.turns.holds import draw_holds
from scripts.bench.turns.scripted import ScriptedCaller, ScriptedTurn
from scripts.bench.turns.voices import Voice
from serving.audio import SPEECH_RATE, Pcm32
from serving.speech import Asked

LEAD_S = 0.5
"""Silence before a turn."""
SCORED_S = 1.2
"""Each silence is judged for this long (v1-mini then hears nothing else); undecided turns end at the timeout."""
CLEAN, TELEPHONE = "clean", "telephone"
STRETCHED_SHARE = 0.5
STRETCHED_S = 0.3
"""Length of the stretched end of a piece: a word or two."""

Speak = Callable[[Voice, ScriptedTurn], list[Pcm32]]


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence inside or after a turn."""

    kind: str
    """Its reason; "end" after the turn."""
    start_s: float
    """The caller's last sound, from the start of the turn."""
    length_s: float
    """Infinite after the turn."""

    @property
    def judged_s(self) -> float:
        """How much of it a detector hears."""
        return min(self.length_s, SCORED_S)


@dataclass(frozen=True, slots=True)
class TurnCase:
    """One turn of one caller."""

    voice: str
    is_strange: bool
    line: str
    caller: str
    asked: Asked
    words: str
    """The words as spoken."""
    samples: Pcm32
    """At 16 kHz; ends SCORED_S after the caller's last sound."""
    pauses: tuple[Pause, ...]
    """In order; the last one ends the turn."""
    habits_s: tuple[float, ...]
    """The caller's pauses in earlier turns of the call."""
    said: tuple[str, ...] = ()
    """The words as spoken up to each pause."""

    @property
    def digest(self) -> str:
        """Hash of everything that a detector can know."""
        known = f"{self.asked}|{self.pauses}|{self.habits_s}".encode()
        return hashlib.sha256(self.samples.tobytes() + known).hexdigest()[:20]


def voice_cases(voice: Voice, callers: Sequence[ScriptedCaller], speak: Speak, seed: int) -> Iterator[TurnCase]:
    """All turns by one voice; every second caller is on the telephone. The same for the same seed."""
    rng = np.random.default_rng(seed)
    owners = [number for number, caller in enumerate(callers) for turn in caller.turns for _ in turn.kinds]
    lengths = iter(draw_holds(owners, rng).tolist())
    for number, caller in enumerate(callers):
        line = TELEPHONE if (number + seed) % 2 else CLEAN
        level_dbfs, noise_dbfs = _line_levels(line, rng)
        habits: list[float] = []
        for turn in caller.turns:
            pieces = [_hesitating(piece, turn, place, rng) for place, piece in enumerate(speak(voice, turn))]
            holds_s = [next(lengths) for _ in turn.kinds]
            sound, pauses = join(pieces, holds_s, turn.kinds)
            samples = _over(line, sound, level_dbfs, noise_dbfs, rng)
            yield TurnCase(
                voice.name,
                voice.is_strange,
                line,
                caller.name,
                turn.asked,
                turn.words,
                samples,
                pauses,
                tuple(habits),
                turn.said,
            )
            habits += holds_s


def join(pieces: Sequence[Pcm32], holds_s: Sequence[float], kinds: Sequence[str]) -> tuple[Pcm32, tuple[Pause, ...]]:
    """The pieces with silences of these lengths between them, LEAD_S before and SCORED_S after, and the silences' places."""
    parts = [np.zeros(round(LEAD_S * SPEECH_RATE), np.float32)]
    pauses = []
    for piece, hold_s, kind in zip(pieces, [*holds_s, float("inf")], [*kinds, "end"], strict=True):
        parts.append(piece)
        start_s = sum(map(len, parts)) / SPEECH_RATE
        pauses.append(Pause(kind, start_s, hold_s))
        parts.append(np.zeros(round((hold_s if np.isfinite(hold_s) else SCORED_S) * SPEECH_RATE), np.float32))
    return np.concatenate(parts).astype(np.float32), tuple(pauses)


def stretched(samples: Pcm32, factor: float) -> Pcm32:
    """Speech slowed down by a factor of 1 or more at the same pitch: windows of 30 ms placed where they fit best (WSOLA)."""
    window, reach = SPEECH_RATE * 30 // 1000, SPEECH_RATE * 8 // 1000
    hop, shape = window // 2, np.hanning(window + 1)[:-1]
    source = np.pad(samples, (hop, window + 2 * reach)).astype(np.float64)
    count = max(2, round(len(samples) * factor / hop) + 1)
    out = np.zeros(hop * (count + 1))
    place = 0
    for number in range(count):
        if number:
            ideal, natural = round(number * hop / factor), source[place + hop : place + hop + window]
            tried = range(max(0, ideal - reach), min(ideal + reach, len(source) - window) + 1)
            place = max(tried, key=lambda start: float(np.dot(source[start : start + window], natural)))
        out[number * hop : number * hop + window] += shape * source[place : place + window]
    return out[hop : hop + round(len(samples) * factor)].astype(np.float32)


def _hesitating(piece: Pcm32, turn: ScriptedTurn, place: int, rng: np.random.Generator) -> Pcm32:
    """Half of the pieces that break off in mid-sentence are drawn out at their end."""
    factor, chance = rng.uniform(1.3, 1.7), rng.random()
    breaks_off = place < len(turn.kinds) and turn.parts[place][-1] not in ".,?"
    tail = round(STRETCHED_S * SPEECH_RATE)
    if not breaks_off or chance >= STRETCHED_SHARE or len(piece) <= 2 * tail:
        return piece
    return np.concatenate([piece[:-tail], stretched(piece[-tail:], factor)])


def _line_levels(line: str, rng: np.random.Generator) -> tuple[float, float]:
    """RMS of the caller's speech and of the line's noise, in dB below full scale."""
    level_dbfs = rng.uniform(-28, -18)
    below = rng.uniform(18, 32) if line == TELEPHONE else rng.uniform(35, 50)
    return level_dbfs, level_dbfs - below


def _over(line: str, sound: Pcm32, level_dbfs: float, noise_dbfs: float, rng: np.random.Generator) -> Pcm32:
    spoken = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
    heard = sound * (10 ** (level_dbfs / 20) / np.sqrt(np.mean(np.square(spoken))))
    heard = heard + rng.normal(0.0, 10 ** (noise_dbfs / 20), len(sound))
    heard = np.clip(heard, -1.0, 1.0).astype(np.float32)
    return telephone(heard) if line == TELEPHONE else heard
