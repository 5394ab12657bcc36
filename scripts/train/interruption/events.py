"""Rendered events on a caller's line: what somebody says or what sounds while the agent talks, with its onset and its truth.

A shard is one .npz: `audio` (n, SPAN) int16 that begins LEAD_S before the moment that the VAD may take for the onset, and
`truth` (n, FRAMES) int8: the class at each of the encoder's frames, -1 where there is nothing to learn; `speakers` (n,): voices.

    python -m scripts.train.interruption.events --seed 1 --count 4000 --agent data/agent.npz --out data/1.npz
"""

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from scripts.train.interruption import line
from scripts.train.interruption.lines import Lines
from scripts.train.interruption.sounds import draw_sound, hummed
from scripts.train.turn_taking.phones import by_phones
from scripts.train.turn_taking.spoken import Unspeakable, Voice
from scripts.train.turn_taking.voices import draw_voice, speak
from serving.audio import SPEECH_RATE, Pcm32
from serving.interruption.onset_window import LEAD_S, MAX_OVERLAP_S

INTERRUPTION, BACKCHANNEL, OTHER = range(3)
SPAN = round((LEAD_S + MAX_OVERLAP_S) * SPEECH_RATE)
FRAME_S = 0.02
FRAMES = 98
"""Of the encoder in SPAN whose sound is all there (scripts/train/interruption/model.py)."""
FIRST_S = 0.08
"""Earlier nothing can be told."""
AFTER_S = 0.35
"""After the sound has ended a verdict is still asked for: until the VAD notices."""
KINDS = (0.38, 0.09, 0.27, 0.06, 0.08, 0.05, 0.05, 0.02)
"""How often an event is a wish to speak, one that begins like a murmur, a murmur, a hum, no speech, talk in the room, an echo, a
sequence."""
FAR_KINDS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.3, 0.0)
"""The same of those that are added of talk in the room and echoes."""
HELD_OUT = ("rms", "rms", "rms", "en-us+Andy", "en-us+Alicia", "en-gb+Andrea", "en-gb+Gene", "en-us+linda")
"""Voices to measure with, never to train on: flite's rms, and espeak-ng variants."""


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
        """`agent`: sentences in the agent's voice. `foreign_share`: of callers, of speakers of other tongues. `far_share`: of
        events, of talk in the room and echoes beside those that are drawn anyway. `held_out`: callers whose voices are never
        trained on."""
        self._foreign_share, self._far_share, self._held_out = foreign_share, far_share, held_out
        self.rng, self._random = np.random.default_rng(seed), random.Random(seed)
        self._lines, self._agent = Lines(self._random), agent
        self._talk: Pcm32 | None = None
        self.speaker = ""
        """The voice that was drawn last."""

    def event(self) -> tuple[Pcm32, np.ndarray]:
        """Audio of SPAN samples and the truth of FRAMES frames."""
        self.speaker = ""
        is_far = self._far_share and self.rng.random() < self._far_share
        kind = self.rng.choice(8, p=FAR_KINDS if is_far else KINDS)
        if kind == 0:
            return self._direct([(self._said(self._wish), INTERRUPTION)])
        if kind == 1:
            return self._direct([(self._said(self._lines.yes_but), INTERRUPTION)])
        if kind == 2:
            return self._direct([(self._said(self._lines.backchannel), BACKCHANNEL)])
        if kind == 3:
            return self._direct([(self._murmur(), BACKCHANNEL)])
        if kind == 4:
            return self._direct([(draw_sound(self.rng), OTHER)], low_dbfs=-48)
        if kind == 5:
            return self._far(self._side_talk(), -28)
        if kind == 6:
            return self._far(self._echo(), -20)
        return self._sequence()

    def _sequence(self) -> tuple[Pcm32, np.ndarray]:
        """A sound or a murmur, a short gap, then words."""
        is_sound = self.rng.random() < 0.5
        length = int(self.rng.uniform(0.2, 0.7) * SPEECH_RATE)
        first = draw_sound(self.rng)[:length] if is_sound else self._murmur()
        return self._direct([(first, OTHER if is_sound else BACKCHANNEL), (self._said(self._wish), INTERRUPTION)])

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

    def _wish(self, engine: str) -> str:
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

    def _murmur(self) -> Pcm32:
        count = self.rng.choice([1, 1, 1, 2])
        hum = hummed(self.rng)
        if count == 1:
            return hum
        return np.concatenate([hum, np.zeros(int(self.rng.uniform(0.05, 0.35) * SPEECH_RATE), np.float32), hum])

    def _direct(self, parts: Sequence[tuple[Pcm32, int]], low_dbfs: float = -38) -> tuple[Pcm32, np.ndarray]:
        """Near the telephone; now and then at arm's length."""
        rng = self.rng
        pieces, marks, place = [], [], 0
        for number, (sound, label) in enumerate(parts):
            gap = int(rng.uniform(0.03, 0.3) * SPEECH_RATE) if number else 0
            near = line.levelled(sound, rng.uniform(-3, 3))
            pieces += [np.zeros(gap, np.float32), near]
            marks.append((place + gap, place + gap + len(near), label))
            place += gap + len(near)
        sound = np.concatenate(pieces)
        if rng.random() < 0.35:
            sound = line.room(rng, sound, rng.uniform(1, 15))
        sound = line.levelled(sound, rng.uniform(low_dbfs, -12))
        return self._placed(sound, marks, echo=rng.random() < 0.2)

    def _far(self, sound: Pcm32, high_dbfs: float) -> tuple[Pcm32, np.ndarray]:
        """Not meant for the agent: beyond the room or out of its own loudspeaker."""
        rng = self.rng
        if rng.random() < 0.35:
            sound = sound[rng.integers(0, max(1, len(sound) // 2)) :]
        sound = line.levelled(sound, rng.uniform(-55, high_dbfs))
        return self._placed(sound, [(0, len(sound), OTHER)], echo=False)

    def _side_talk(self) -> Pcm32:
        """A television, a radio, somebody else in the room."""
        rng = self.rng
        said = self._said(self._sentence)
        if rng.random() < 0.3:
            said = said + 0.5 * line.levelled(
                np.resize(draw_sound(rng), len(said)), 20 * np.log10(line.active_level(said)) - rng.uniform(0, 15)
            )
        distant = line.room(rng, said, rng.uniform(-12, 1))
        return line.band(distant, rng.uniform(50, 400), rng.uniform(1200, 6000), order=1).astype(np.float32)

    def _echo(self) -> Pcm32:
        """The agent's own voice out of a loudspeaker, through a room, partly cancelled."""
        rng = self.rng
        if rng.random() < 0.75:
            said = _trimmed(self._agent[rng.integers(len(self._agent))])
        else:
            said = self._said(self._sentence)
        heard = line.room(rng, np.tanh(said * rng.uniform(0.5, 3)).astype(np.float32), rng.uniform(-10, 8))
        heard = line.band(heard, rng.uniform(150, 600), rng.uniform(2000, 7000), order=1).astype(np.float32)
        return line.gate_clicks(rng, heard) if rng.random() < 0.5 else heard

    def _placed(self, sound: Pcm32, marks: Sequence[tuple[int, int, int]], *, echo: bool) -> tuple[Pcm32, np.ndarray]:
        rng = self.rng
        if len(sound) > 1.4 * SPEECH_RATE and len(marks) == 1 and rng.random() < 0.15:
            # A long overlap, whose beginning the window no longer holds
            gone = int(rng.uniform(LEAD_S, 1.0) * SPEECH_RATE)
            sound, marks = sound[gone:], [(0, marks[0][1] - gone, marks[0][2])]
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
        return audio, _truth(early, marks)


def _truth(early: int, marks: Sequence[tuple[int, int, int]]) -> np.ndarray:
    truth = np.full(FRAMES, -1, np.int8)
    # frame j has heard everything up to mel frame 2 j + 2
    heard_s = (np.arange(FRAMES) * 2 + 2) * 0.01 + 0.025
    for start, end, label in marks:
        truth[
            (heard_s >= (early + start) / SPEECH_RATE + FIRST_S) & (heard_s <= (early + end) / SPEECH_RATE + AFTER_S)
        ] = label
    return truth


def _trimmed(samples: Pcm32) -> Pcm32:
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--agent", type=Path, required=True, help="what agent_talk.py wrote")
    parser.add_argument("--foreign-share", type=float, default=0.0, help="of callers, of speakers of other tongues")
    parser.add_argument("--far-share", type=float, default=0.0, help="of events, of more talk in the room and echoes")
    parser.add_argument("--held-out", action="store_true", help="voices that are never trained on")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    stored = np.load(options.agent)
    agent = np.split(stored["audio"].astype(np.float32) / 32768, stored["ends"][:-1])
    crowd = Crowd(
        options.seed,
        agent,
        foreign_share=options.foreign_share,
        far_share=options.far_share,
        held_out=options.held_out,
    )
    speakers = []
    audio, truth = np.empty((options.count, SPAN), np.int16), np.empty((options.count, FRAMES), np.int8)
    for number in range(options.count):
        samples, truth[number] = crowd.event()
        speakers.append(crowd.speaker)
        audio[number] = np.clip(samples * 32767, -32768, 32767)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(options.out, audio=audio, truth=truth, speakers=np.array(speakers))
    print(f"{options.out.name}: {options.count} events", flush=True)


if __name__ == "__main__":
    main()
