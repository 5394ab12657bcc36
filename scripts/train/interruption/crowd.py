"""Events on a caller's line: what somebody says, or what sounds, while the agent talks."""

import random
from collections.abc import Callable, Sequence
from enum import IntEnum

import numpy as np

from scripts.train.interruption import line
from scripts.train.interruption.lines import Lines
from scripts.train.interruption.sounds.catalogue import draw_sound
from scripts.train.interruption.sounds.murmurs import hummed
from scripts.train.interruption.sounds.synthesis import band
from scripts.train.interruption.truth import BACKCHANNEL, INTERRUPTION, OTHER, SPAN, Mark, Truth, truth_of
from scripts.train.turn_taking.phones import by_phones
from scripts.train.turn_taking.spoken import Unspeakable, Voice
from scripts.train.turn_taking.voices import draw_voice, speak
from serving.audio import SPEECH_RATE, Pcm32
from serving.interruption.onset_window import LEAD_S


class Kind(IntEnum):
    """What sounds while the agent talks."""

    INTERRUPTION = 0
    YES_BUT = 1
    """An interruption that begins like a murmur."""
    BACKCHANNEL = 2
    HUM = 3
    """A backchannel that no synthesizer says."""
    NOISE = 4
    SIDE_TALK = 5
    ECHO = 6
    SEQUENCE = 7
    """Noise or a murmur, then an interruption."""


SHARES = (0.38, 0.09, 0.27, 0.06, 0.08, 0.05, 0.05, 0.02)
"""How often each Kind is drawn."""
FAR_SHARES = (0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.3, 0.0)
"""The same among the events that are added with `far_share`."""
HELD_OUT = ("rms", "rms", "rms", "en-us+Andy", "en-us+Alicia", "en-gb+Andrea", "en-gb+Gene", "en-us+linda")
"""Voices to measure with, never trained on: flite's rms, and espeak-ng variants."""

Event = tuple[Pcm32, Truth]
"""SPAN samples, and the class at each frame."""


class Crowd:
    """Draws events; all chance comes from one seed."""

    def __init__(
        self,
        seed: int,
        agent: Sequence[Pcm32],
        *,
        foreign_share: float = 0.0,
        far_share: float = 0.0,
        held_out: bool = False,
    ) -> None:
        """`agent`: sentences in the agent's voice. `foreign_share`: share of callers with a foreign accent. `far_share`: share of
        events that are talk in the room or echoes, on top of those that SHARES draws. `held_out`: only voices that are never
        trained on."""
        self._foreign_share, self._far_share, self._held_out = foreign_share, far_share, held_out
        self.rng, self._random = np.random.default_rng(seed), random.Random(seed)
        self._lines, self._agent = Lines(self._random), agent
        self._talk: Pcm32 | None = None
        self.speaker = ""
        """The voice that was drawn last."""

    def event(self) -> Event:
        """The next one."""
        self.speaker = ""
        is_far = self._far_share > 0 and self.rng.random() < self._far_share
        match Kind(self.rng.choice(len(Kind), p=FAR_SHARES if is_far else SHARES)):
            case Kind.INTERRUPTION:
                return self._direct([(self._said(self._interruption), INTERRUPTION)])
            case Kind.YES_BUT:
                return self._direct([(self._said(self._lines.yes_but), INTERRUPTION)])
            case Kind.BACKCHANNEL:
                return self._direct([(self._said(self._lines.backchannel), BACKCHANNEL)])
            case Kind.HUM:
                return self._direct([(self._hum(), BACKCHANNEL)])
            case Kind.NOISE:
                return self._direct([(draw_sound(self.rng), OTHER)], low_dbfs=-48)
            case Kind.SIDE_TALK:
                return self._far(self._side_talk(), -28)
            case Kind.ECHO:
                return self._far(self._echo(), -20)
            case Kind.SEQUENCE:
                return self._sequence()

    def _sequence(self) -> Event:
        """Noise or a murmur, a short gap, then words."""
        is_sound = self.rng.random() < 0.5
        length = int(self.rng.uniform(0.2, 0.7) * SPEECH_RATE)
        first = draw_sound(self.rng)[:length] if is_sound else self._hum()
        return self._direct(
            [(first, OTHER if is_sound else BACKCHANNEL), (self._said(self._interruption), INTERRUPTION)]
        )

    def _said(self, draw: Callable[[str], str]) -> Pcm32:
        while True:
            voice = self._voice()
            text = draw(voice.engine)
            try:
                spoken = by_phones(text, voice) if text.startswith(("[[", "pau ")) else speak(text, voice).samples
            except Unspeakable:
                continue
            self._talk, self.speaker = spoken, voice.name
            return line.changed(self.rng, _trimmed(spoken))

    def _interruption(self, engine: str) -> str:
        del engine
        return self._lines.interruption()

    def _sentence(self, engine: str) -> str:
        return self._lines.talk() if self.rng.random() < 0.85 else self._lines.backchannel(engine)

    def _voice(self) -> Voice:
        if not self._held_out:
            return draw_voice(self._random, more_share=0.6, foreign_share=self._foreign_share)
        voice = draw_voice(self._random)
        name = self._random.choice(HELD_OUT)
        pitch = voice.pitch if voice.engine == "espeak" else 1.0
        engine = "flite" if name == "rms" else "espeak"
        return Voice(engine, name, voice.tempo, pitch, voice.liveliness)

    def _hum(self) -> Pcm32:
        count = self.rng.choice([1, 1, 1, 2])
        hum = hummed(self.rng)
        if count == 1:
            return hum
        return np.concatenate([hum, np.zeros(int(self.rng.uniform(0.05, 0.35) * SPEECH_RATE), np.float32), hum])

    def _direct(self, parts: Sequence[tuple[Pcm32, int]], low_dbfs: float = -38) -> Event:
        """Spoken into the telephone, now and then from arm's length."""
        rng = self.rng
        pieces, marks, place = list[Pcm32](), list[Mark](), 0
        for number, (sound, label) in enumerate(parts):
            gap = int(rng.uniform(0.03, 0.3) * SPEECH_RATE) if number else 0
            near = line.levelled(sound, rng.uniform(-3, 3))
            pieces += [np.zeros(gap, np.float32), near]
            marks.append(Mark(place + gap, place + gap + len(near), label))
            place += gap + len(near)
        sound = np.concatenate(pieces)
        if rng.random() < 0.35:
            sound = line.room(rng, sound, rng.uniform(1, 15))
        sound = line.levelled(sound, rng.uniform(low_dbfs, -12))
        return self._placed(sound, marks, echo=rng.random() < 0.2)

    def _far(self, sound: Pcm32, high_dbfs: float) -> Event:
        """Not meant for the agent: from across the room, or from its own loudspeaker."""
        rng = self.rng
        if rng.random() < 0.35:
            sound = sound[rng.integers(0, max(1, len(sound) // 2)) :]
        sound = line.levelled(sound, rng.uniform(-55, high_dbfs))
        return self._placed(sound, [Mark(0, len(sound), OTHER)], echo=False)

    def _side_talk(self) -> Pcm32:
        """A television, a radio, somebody else in the room."""
        rng = self.rng
        said = self._said(self._sentence)
        if rng.random() < 0.3:
            said = said + 0.5 * line.levelled(
                np.resize(draw_sound(rng), len(said)), 20 * np.log10(line.active_level(said)) - rng.uniform(0, 15)
            )
        distant = line.room(rng, said, rng.uniform(-12, 1))
        return band(distant, rng.uniform(50, 400), rng.uniform(1200, 6000), order=1).astype(np.float32)

    def _echo(self) -> Pcm32:
        """The agent's own voice from a loudspeaker, through a room, partly cancelled."""
        rng = self.rng
        if rng.random() < 0.75:
            said = _trimmed(self._agent[int(rng.integers(len(self._agent)))])
        else:
            said = self._said(self._sentence)
        heard = line.room(rng, np.tanh(said * rng.uniform(0.5, 3)).astype(np.float32), rng.uniform(-10, 8))
        heard = band(heard, rng.uniform(150, 600), rng.uniform(2000, 7000), order=1).astype(np.float32)
        return line.gate_clicks(rng, heard) if rng.random() < 0.5 else heard

    def _placed(self, sound: Pcm32, marks: Sequence[Mark], *, echo: bool) -> Event:
        rng = self.rng
        if len(sound) > 1.4 * SPEECH_RATE and len(marks) == 1 and rng.random() < 0.15:
            # a long overlap, whose beginning has left the window
            gone = int(rng.uniform(LEAD_S, 1.0) * SPEECH_RATE)
            sound, marks = sound[gone:], [Mark(0, marks[0].end - gone, marks[0].label)]
            early = 0
        else:
            early = int((LEAD_S - rng.uniform(-0.03, 0.15)) * SPEECH_RATE)
        audio = np.zeros(SPAN, np.float32)
        count = min(len(sound), SPAN - early)
        audio[early : early + count] = sound[:count]
        if early and rng.random() < 0.12 and self._talk is not None:
            before = line.levelled(self._talk, rng.uniform(-40, -15))[-int(early * rng.uniform(0.2, 0.7)) :]
            audio[: len(before)] += before
        if echo:
            under = line.levelled(
                np.resize(self._echo(), SPAN), 20 * np.log10(line.active_level(sound)) - rng.uniform(10, 32)
            )
            audio += under
        audio = line.on_the_line(rng, audio, talk=self._talk)
        if rng.random() < 0.05:
            audio[: int(rng.uniform(0, LEAD_S - 0.15) * SPEECH_RATE)] = 0
        return audio, truth_of(marks, early)


def _trimmed(samples: Pcm32) -> Pcm32:
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]
