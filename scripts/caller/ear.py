"""What the caller hears: the agent's track on the recording's clock, and whether it is sounding now."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.caller.clock import RATE, AudioClock
from scripts.caller.loudspeaker import Loudspeaker
from scripts.caller.measure import AGENT_THRESHOLD_DBFS, level_dbfs
from serving.audio import Pcm16

WINDOW_S = 0.5
"""A delay that lasts this long is a gap in the sound, not a late event loop."""
MIN_GAP_S = 0.02
"""Shorter gaps are ignored."""
MIN_LAG_S = 0.005
"""Shorter lags are ignored."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A frame as it came out of the jitter buffer."""

    at_s: float
    """Clock time at which it could be played."""
    samples: Pcm16
    """Shape (n,), int16 at RATE."""


def lay_out(arrivals: Sequence[Arrival], rate: int = RATE) -> Pcm16:
    """The frames placed on the clock, shape (n,); a sample is heard when its frame arrives, as from a loudspeaker.

    Frames come at the sender's pace, slightly late when the event loop is busy, so the earliest of the frames within WINDOW_S
    on either side tells where a frame belongs. If that shifts later by more than MIN_GAP_S, there was a gap, which becomes
    silence; if it shifts earlier, silence is cut until the lag is made up.
    """
    if not arrivals:
        return np.zeros(0, np.int16)
    lengths = np.array([len(a.samples) for a in arrivals])
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    times_s = np.array([a.at_s for a in arrivals])
    offsets_s = times_s - before / rate
    placed: list[Pcm16] = []
    position = 0
    for i, arrival in enumerate(arrivals):
        low, high = np.searchsorted(times_s, [times_s[i] - WINDOW_S, times_s[i] + WINDOW_S])
        belongs = round(float(offsets_s[low:high].min()) * rate) + int(before[i])
        if belongs > position + MIN_GAP_S * rate:
            placed.append(np.zeros(belongs - position, np.int16))
            position = belongs
        samples = arrival.samples
        if position > belongs + MIN_LAG_S * rate and level_dbfs(samples) < AGENT_THRESHOLD_DBFS:
            samples = samples[position - belongs :]
        placed.append(samples)
        position += len(samples)
    return np.concatenate(placed)


class Ear:
    """Records the agent's track."""

    def __init__(self, clock: AudioClock) -> None:
        self._clock = clock
        self._arrivals: list[Arrival] = []
        self.loudspeaker: Loudspeaker | None = None
        """Plays what is heard, so that the caller's own microphone picks it up."""
        self._run_frames = 0
        self.onsets_s: list[float] = []
        """Clock times at which the agent began to sound after any silence."""
        self.last_sound_s: float | None = None
        """Clock time of the latest frame with sound."""

    async def run(self, frames: AsyncIterator[Pcm16]) -> None:
        """Record until the track ends."""
        async for samples in frames:
            self.hear(samples, self._clock.now_s())

    def hear(self, samples: Pcm16, at_s: float) -> None:
        """Add a frame that arrived at `at_s`."""
        self._arrivals.append(Arrival(at_s, samples))
        if self.loudspeaker is not None:
            self.loudspeaker.play(samples, at_s)
        if level_dbfs(samples) < AGENT_THRESHOLD_DBFS:
            self._run_frames = 0
            return
        self._run_frames += 1
        if self._run_frames < 3:  # 30 ms: a click is not speech
            return
        if self._run_frames == 3:
            self.onsets_s.append(at_s)
        self.last_sound_s = at_s

    def began_after(self, at_s: float) -> float | None:
        """Clock time of the first sound that begins after `at_s`, or None."""
        return next((onset for onset in self.onsets_s if onset > at_s), None)

    def sounded_since(self, at_s: float) -> bool:
        """Whether there was sound after `at_s`."""
        return self.last_sound_s is not None and self.last_sound_s > at_s

    def recording(self) -> Pcm16:
        """Everything heard so far, from the clock's origin, shape (n,)."""
        return lay_out(self._arrivals)
