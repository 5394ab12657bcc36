"""Ways in which an agent's own voice comes back to it: a loudspeaker, a room, a telephone line, and time.

    path = PATHS["speakerphone"]
    microphone = path.line(caller + path.echo(agent_voice))

All sound is mono float32 in [-1, 1] at SPEECH_RATE. The same path gives the same samples every time.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import fftconvolve

from scripts.acoustics.telephone import telephone
from serving.audio import SPEECH_RATE, Pcm32

SPEED_OF_SOUND_M_S = 343.0
LOUDSPEAKER_DISTANCE_M = 0.4
"""From the loudspeaker of a telephone on a desk to its microphone, and from a laptop's to its."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoPath:
    """One way back. `gain_db` is the echo's level against the agent's voice as it was sent."""

    name: str
    delay_s: float
    """From the worker's output to its input: network and jitter buffers both ways, and the caller's device."""
    gain_db: float
    reverberation_s: float = 0.0
    """Time in which the room's sound decays by 60 dB; 0 is no room, as in a telephone exchange's hybrid."""
    room: Path | None = None
    """A measured impulse response (WAV at SPEECH_RATE) instead of a made-up one."""
    drive: float = 0.0
    """How hard the loudspeaker is driven: it clips softly from about 1/drive of full scale; 0 is linear."""
    is_telephone: bool = False
    """Both ways go through 300-3400 Hz and G.711 mu-law."""
    noise_dbfs: float | None = None
    """RMS of the line's noise; None is silence."""
    seed: int = 0

    def echo(self, played: Pcm32) -> Pcm32:
        """What comes back of the sound played, without noise; same length, shape (n,)."""
        sound = telephone(played) if self.is_telephone else played
        if self.drive > 0:
            sound = (np.tanh(self.drive * sound) / self.drive).astype(np.float32)
        sound = fftconvolve(sound, self.response())[: len(sound)].astype(np.float32)
        sound *= _gain_to(sound, played, self.gain_db)
        return delayed(sound, self.delay_s)

    def line(self, sound: Pcm32) -> Pcm32:
        """What reaches the worker when this is said at the caller's end: band, codec, noise; shape (n,)."""
        if self.noise_dbfs is not None:
            noise = np.random.default_rng(self.seed + 1).normal(size=len(sound)) * 10 ** (self.noise_dbfs / 20)
            sound = sound + noise.astype(np.float32)
        return telephone(sound) if self.is_telephone else np.clip(sound, -1, 1).astype(np.float32)

    def response(self) -> Pcm32:
        """The impulse response of loudspeaker to microphone, shape (k,), of unit energy."""
        if self.room is not None:
            response, _rate = soundfile.read(self.room, dtype="float32", always_2d=True)
            response = response[:, 0]
        elif self.reverberation_s > 0:
            response = made_up_room(self.reverberation_s, self.seed)
        else:
            response = hybrid(self.seed)
        return np.asarray(response / np.sqrt(np.sum(response**2)), dtype=np.float32)


def made_up_room(reverberation_s: float, seed: int) -> Pcm32:
    """Direct sound, six early reflections within 20 ms and a tail of decaying noise, shape (k,)."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(reverberation_s * SPEECH_RATE)) / SPEECH_RATE
    tail = rng.normal(size=len(t)) * 10 ** (-3 * t / reverberation_s)
    tail *= 0.5 / np.sqrt(np.sum(tail**2))
    response = tail * np.minimum(t / 0.01, 1)
    direct = int(LOUDSPEAKER_DISTANCE_M / SPEED_OF_SOUND_M_S * SPEECH_RATE)
    response[direct] += 1.0
    for at in rng.integers(direct + 16, SPEECH_RATE * 20 // 1000, size=6):
        response[at] += rng.uniform(-0.5, 0.5)
    return response.astype(np.float32)


def hybrid(seed: int) -> Pcm32:
    """A two-wire line's mismatch: a few decaying, alternating taps within 4 ms, shape (k,)."""
    rng = np.random.default_rng(seed)
    taps = np.arange(SPEECH_RATE * 4 // 1000)
    return (rng.normal(size=len(taps)) * np.exp(-taps / 12)).astype(np.float32)


def delayed(sound: Pcm32, delay_s: float) -> Pcm32:
    """The sound so much later; same length, shape (n,)."""
    late = np.zeros_like(sound)
    shift = round(delay_s * SPEECH_RATE)
    late[shift:] = sound[: len(sound) - shift]
    return late


def _gain_to(sound: Pcm32, played: Pcm32, gain_db: float) -> float:
    level, wanted = np.sqrt(np.mean(sound**2)), np.sqrt(np.mean(played**2)) * 10 ** (gain_db / 20)
    return float(wanted / level) if level > 0 else 0.0


_CLEAN = EchoPath(name="", delay_s=0.2, gain_db=-12.0, noise_dbfs=-70.0)
PATHS: dict[str, EchoPath] = {
    path.name: path
    for path in (
        replace(_CLEAN, name="laptop", delay_s=0.16, gain_db=-10, reverberation_s=0.25, seed=1),
        replace(_CLEAN, name="speakerphone", delay_s=0.22, gain_db=-6, reverberation_s=0.4, drive=3, seed=2),
        replace(_CLEAN, name="loud room", delay_s=0.3, gain_db=-6, reverberation_s=0.7, drive=6, seed=3),
        replace(_CLEAN, name="quiet echo", delay_s=0.2, gain_db=-30, reverberation_s=0.3, seed=4),
        replace(_CLEAN, name="far away", delay_s=0.4, gain_db=-12, reverberation_s=0.3, seed=5),
        replace(_CLEAN, name="next door", delay_s=0.06, gain_db=-12, reverberation_s=0.3, seed=6),
        replace(_CLEAN, name="hybrid", delay_s=0.18, gain_db=-12, is_telephone=True, noise_dbfs=-60, seed=7),
        replace(_CLEAN, name="bad hybrid", delay_s=0.18, gain_db=-6, is_telephone=True, noise_dbfs=-55, seed=8),
        replace(
            _CLEAN,
            name="telephone speaker",
            delay_s=0.25,
            gain_db=-8,
            reverberation_s=0.4,
            drive=4,
            is_telephone=True,
            noise_dbfs=-55,
            seed=9,
        ),
        replace(_CLEAN, name="mobile", delay_s=0.6, reverberation_s=0.1, is_telephone=True, noise_dbfs=-60, seed=10),
    )
}
"""What is measured: from an echo that is hardly there to one as loud as speech, over 60 to 600 ms."""


def measured_rooms(folder: Path) -> list[EchoPath]:
    """A path through each impulse response (*.wav) in a folder; none if the folder is absent."""
    return [
        replace(_CLEAN, name=f"room {file.stem}", gain_db=-8, room=file, drive=3)
        for file in sorted(folder.glob("*.wav"))
    ]
