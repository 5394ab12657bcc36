"""Turns as spoken: the sound up to each silence, rendered so that neither intonation nor words alone tell a pause from an end.

A take is one silence: the words and the sound before it, and whether the turn is over. The sound before a pause is, at random,
cut from the intonation of the whole turn, spoken up to a comma, or spoken as if it were complete; the last word may be drawn out,
and an "um" may follow. Ends have the synthesizer's final fall or rise, and sometimes a comma's intonation.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scripts.train.end_of_turn.pauses import draw_caller, draw_hold_s
from scripts.train.end_of_turn.turns import Turn, Turns
from scripts.train.turn_taking.line import draw_line
from scripts.train.turn_taking.spoken import Spoken, Unspeakable, Voice
from scripts.train.turn_taking.voices import draw_voice, speak
from serving.audio import SPEECH_RATE, Pcm32
from serving.speech import Asked

FILLERS = ("um", "um", "uh", "uh", "er", "so", "well", "like", "you know", "hmm")
LEAD_S = 4.0
"""Most line noise before the first word."""
FADE_S = 0.012
WHOLE = 0.75
"""Share of turns that are spoken as a whole and cut at their pauses; the parts of the others are spoken one by one."""
COMMAS = {"hes": 0.2, "um": 0.2}
"""Share of pauses that a whole turn's intonation reflects, by kind; the others are cut into it."""
_NO_SOUND = np.zeros(0, np.float32)
SOUND_S = 8
"""Seconds of sound kept for a take."""
PREROLL_S, NEW_UTTERANCE_S = 0.3, 0.25
"""A pause of NEW_UTTERANCE_S starts a new utterance, which includes PREROLL_S of the pause (serving/stt/segmenter.py)."""
KEPT_SILENCE_S = (0.06, 0.32)
"""Silence kept at the end of the sound: engines trim it to 0.2 s, without knowing exactly where speech ended."""


@dataclass(frozen=True, slots=True)
class Take:
    """One silence in a turn."""

    samples: Pcm32
    """float32, 16 kHz: the last seconds before the silence, and its beginning."""
    words: str
    """As said."""
    ended: bool
    asked: Asked
    kind: str
    """Kind of the pause ("um": after a filler), or "end"."""
    caller: float
    """As pauses.draw_caller gives it."""
    hold_s: float
    """How long it lasted; 0 for an end."""
    voice: str
    words_before: int = 0
    """How many of the words belong to earlier utterances, before the last pause that starts a new one."""
    utterance_samples: int = 0
    """How much of the sound, counted from its end, belongs to this utterance."""


class Takes:
    """An endless stream of takes."""

    def __init__(self, seed: int, voices: Sequence[Voice] | None = None, *, known: bool = False) -> None:
        """`voices` to draw from, instead of the training voices; `known` as in Turns."""
        self.rng = random.Random(seed)
        self._turns = Turns(seed, known=known)
        self._voices = voices
        self._babble = np.zeros(0, np.float32)

    def __iter__(self) -> Iterator[Take]:
        """Turn after turn, each one's silences in order."""
        while True:
            try:
                yield from self.turn(self._turns.turn())
            except Unspeakable:
                continue

    def unspoken(self) -> Iterator[Take]:
        """The same without sound, which is much faster."""
        while True:
            turn, caller = self._turns.turn(), draw_caller(self.rng)
            words, kinds = self._filled(turn)
            for number, kind in enumerate((*kinds, "end")):
                said = " ".join(words[: number + 1])
                yield Take(_NO_SOUND, said, kind == "end", turn.asked, kind, caller, 0.0, "")

    def turn(self, turn: Turn) -> list[Take]:
        """The silences of one turn. Raises Unspeakable."""
        rng = self.rng
        voice, caller, line = self._voice(), draw_caller(rng), draw_line(rng)
        words, kinds = self._filled(turn)
        pieces = self._pieces(words, kinds, turn.end, voice)
        self._remember(pieces)
        sound = [np.zeros(int(SPEECH_RATE * min(rng.expovariate(0.7), LEAD_S)), np.float32)]
        takes, words_before, begin = [], 0, max(0, len(sound[0]) - round(PREROLL_S * SPEECH_RATE))
        for number, (piece, kind) in enumerate(zip(pieces, (*kinds, "end"), strict=True)):
            sound.append(piece)
            ended = kind == "end"
            hold_s = 0.0 if ended else draw_hold_s(rng, caller, kind)
            kept = np.zeros(int(SPEECH_RATE * min(rng.uniform(*KEPT_SILENCE_S), hold_s or 9.0)), np.float32)
            everything = np.concatenate([*sound, kept])
            heard = line.carry(everything[-SOUND_S * SPEECH_RATE :], self._babble)
            said = " ".join(words[: number + 1])
            takes.append(
                Take(
                    heard,
                    said,
                    ended,
                    turn.asked,
                    kind,
                    caller,
                    hold_s,
                    voice.name,
                    words_before,
                    len(everything) - begin,
                )
            )
            sound.append(np.zeros(int(SPEECH_RATE * hold_s), np.float32))
            if hold_s >= NEW_UTTERANCE_S:
                words_before, begin = len(said.split()), sum(map(len, sound)) - round(PREROLL_S * SPEECH_RATE)
        return takes

    def _voice(self) -> Voice:
        if self._voices is None:
            return draw_voice(self.rng, more_share=0.5)
        return replace(self.rng.choice(self._voices), tempo=self.rng.uniform(0.85, 1.2))

    def _filled(self, turn: Turn) -> tuple[list[str], list[str]]:
        """Words and kinds, with an "um" here and there."""
        rng, words, kinds = self.rng, list(turn.parts), list(turn.kinds)
        for number, kind in enumerate(kinds):
            chance = {"hes": 0.4, "fix": 0.25, "group": 0.08}.get(kind, 0.12)
            if rng.random() < chance:
                filler = rng.choice(FILLERS)
                if rng.random() < 0.7:
                    words[number] += " " + filler
                    kinds[number] = "um"
                else:
                    words[number + 1] = filler + " " + words[number + 1]
        return words, kinds

    def _pieces(self, words: Sequence[str], kinds: Sequence[str], end: str, voice: Voice) -> list[Pcm32]:
        """The sound of each part, trimmed."""
        rng = self.rng
        if rng.random() < WHOLE:
            marks = ["," if rng.random() < COMMAS.get(kind, 0.6) else "" for kind in kinds]
            pieces = _cut(speak(" ".join(map("".join, zip(words, (*marks, end), strict=True))), voice), words)
        else:
            pieces = [self._alone(part, kind, end, voice) for part, kind in zip(words, (*kinds, "end"), strict=True)]
        for number, kind in enumerate(kinds):
            if kind == "sent":
                pieces[number] = self._alone(words[number], kind, end, voice)
            elif rng.random() < (0.5 if kind in ("hes", "um") else 0.1):
                pieces[number] = self._drawn_out(pieces[number])
        return pieces

    def _alone(self, part: str, kind: str, end: str, voice: Voice) -> Pcm32:
        """A part spoken by itself."""
        rng, mark = self.rng, ","
        if kind == "end":
            mark = end if rng.random() < 0.85 else rng.choice((".", ",", "!", ""))
        elif kind == "sent":
            mark = rng.choice((".", ".", ".", ",", "?"))
        elif rng.random() < 0.25:
            mark = rng.choice((".", ".", "?", ""))
        if kind in ("hes", "um") and rng.random() < 0.5:
            voice = replace(voice, liveliness=voice.liveliness * 0.3, tempo=voice.tempo * rng.uniform(0.8, 1.0))
        return _cut(speak(part + mark, voice), [part])[0]

    def _drawn_out(self, piece: Pcm32) -> Pcm32:
        """With its last 0.1 to 0.3 s stretched by 1.2 to 1.9."""
        length = min(len(piece) // 2, int(SPEECH_RATE * self.rng.uniform(0.1, 0.3)))
        return np.concatenate([piece[:-length], stretched(piece[-length:], self.rng.uniform(1.2, 1.9))])

    def _remember(self, pieces: Sequence[Pcm32]) -> None:
        """Add to the background talk behind later callers."""
        said = np.concatenate(pieces)
        old = np.resize(self._babble, len(said)) if len(self._babble) else np.zeros(len(said), np.float32)
        self._babble = (0.7 * old + said).astype(np.float32)


def _cut(spoken: Spoken, parts: Sequence[str]) -> list[Pcm32]:
    """The sound of each part from its first word to its last, faded out to avoid clicks."""
    pieces, place = [], 0
    for part in parts:
        count = len(part.split())
        first, last = spoken.words[place], spoken.words[place + count - 1]
        begin, end = round(first.start_s * SPEECH_RATE), round(last.end_s * SPEECH_RATE)
        piece = spoken.samples[begin:end].copy()
        fade = min(len(piece), int(FADE_S * SPEECH_RATE))
        piece[len(piece) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        pieces.append(piece)
        place += count
    return pieces


def stretched(samples: Pcm32, factor: float) -> Pcm32:
    """Stretched at the same pitch: 32 ms windows, overlapped where they fit best (WSOLA)."""
    window, hop, reach = 512, 256, 160
    if len(samples) < 2 * window:
        return samples
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    length = int(len(samples) * factor)
    found, weight = np.zeros(length + window, np.float32), np.full(length + window, 1e-6, np.float32)
    expected = samples[:window]
    for place in range(0, length, hop):
        middle = min(int(place / factor), len(samples) - window)
        low, high = max(0, middle - reach), min(len(samples) - window, middle + reach)
        starts = range(low, high + 1, 8)
        start = max(starts, key=lambda begin: float(np.dot(samples[begin : begin + window], expected))) if place else 0
        found[place : place + window] += shape * samples[start : start + window]
        weight[place : place + window] += shape
        following = start + hop
        expected = samples[following : following + window] if following + window <= len(samples) else samples[-window:]
    return (found / weight)[:length]
