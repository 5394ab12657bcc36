"""Echo on one caller's line: whether and how late the agent's voice comes back. Removes the part that a linear filter predicts."""

import numpy as np

from agent.turns.echo.delay import MAX_SAMPLES, EchoDelay
from agent.turns.echo.linear import BLOCK_SAMPLES, LinearEchoFilter
from serving.audio import SPEECH_RATE, Pcm32

LEAD_SAMPLES = SPEECH_RATE // 100
"""The filter covers the echo from this long before its strongest part."""
LONG_DELAY_SAMPLES = 450 * SPEECH_RATE // 1000
"""WebRTC's canceller looks back only 500 ms. Above this delay it is given a delayed copy of the agent's voice."""
SHORTENED_SAMPLES = 100 * SPEECH_RATE // 1000
"""How late the echo seems to be after such a copy."""
FADE_BLOCKS = 100
"""The filter fades in over 2 s, because WebRTC's canceller lets an echo pass that suddenly gets weaker."""
MIN_SPEECH_POWER = 1e-5
"""-50 dBFS: quieter sound is nobody's speech."""
FIRST_WORDS_BLOCKS, MAX_FIRST_WORDS_BLOCKS = 75, 150
"""It takes 1.5 s of the agent's voice to know whether it comes back. If anything is heard meanwhile it takes 3 s, until the jitter
buffers have filled and the delay is stable."""
MIN_ECHO_POWER = 3e-5
"""-45 dBFS: no echo quieter than this has intelligible words."""
MOVED_BLOCKS = 15
"""The cancellers have found a new delay's path after this many blocks (0.3 s)."""
RECENT_BLOCKS = 40
"""Sound played or heard within the last 0.8 s still counts."""
PAUSE_BLOCKS = 10
"""A pause of 0.2 s in the agent's voice is followed by an onset."""
ONSET_BLOCKS = (-4, 13)
"""The echo of an onset is expected from 80 ms before to 260 ms after the known delay. Neither canceller is quick enough for it
unless it is exactly on time."""


class EchoLine:
    """The echo of one call. Sound comes in blocks of BLOCK_SAMPLES, float32 at 16 kHz."""

    def __init__(self) -> None:
        self._delay = EchoDelay()
        self._filter = LinearEchoFilter()
        self._history = np.zeros(MAX_SAMPLES + BLOCK_SAMPLES, np.float32)
        self._first_words = 0
        """Blocks since the agent began to speak, up to MAX_FIRST_WORDS_BLOCKS."""
        self._since_played = self._since_heard = RECENT_BLOCKS
        """Blocks since anything loud was played, and heard."""
        self._since_onset = 0
        """Blocks since the agent's voice began, after a pause."""
        self._filter_share = 0.0
        self._since_moved = MOVED_BLOCKS
        """Blocks since the echo's delay changed."""

    @property
    def delay_samples(self) -> int | None:
        """The echo's delay; None until an echo has been found."""
        return self._delay.samples

    @property
    def is_unsettled(self) -> bool:
        """Whether what is heard may be an echo that cannot be cancelled yet: during the agent's first words, at an onset, or
        while the delay is changing."""
        if self._since_played >= RECENT_BLOCKS:
            return False
        is_heard = self._since_heard < RECENT_BLOCKS
        first_words = MAX_FIRST_WORDS_BLOCKS if is_heard else FIRST_WORDS_BLOCKS
        return self._first_words < first_words or self._is_onset or self._is_moving

    @property
    def _is_onset(self) -> bool:
        if self._delay.samples is None:
            return False
        first, end = (self._delay.samples // BLOCK_SAMPLES + blocks for blocks in ONSET_BLOCKS)
        return first <= self._since_onset < end

    @property
    def _is_moving(self) -> bool:
        return self._delay.is_moving or self._since_moved < MOVED_BLOCKS

    @property
    def is_clear(self) -> bool:
        """Whether the agent has spoken and no echo was found."""
        return self._delay.samples is None and self._first_words >= FIRST_WORDS_BLOCKS

    @property
    def reference(self) -> Pcm32:
        """What was played, shape (BLOCK_SAMPLES,). Delayed if WebRTC's canceller would not look back far enough otherwise."""
        delay = self._delay.samples or 0
        return self._played_before(delay - SHORTENED_SAMPLES if delay > LONG_DELAY_SAMPLES else 0)

    def push(self, played: Pcm32, heard: Pcm32) -> Pcm32:
        """The heard block minus the linear part of the echo, shape (BLOCK_SAMPLES,)."""
        self._history[:-BLOCK_SAMPLES] = self._history[BLOCK_SAMPLES:]
        self._history[-BLOCK_SAMPLES:] = played
        self._look_for_echo(played, heard)
        if self._delay.samples is None:
            return heard
        left = self._filter.push(self._played_before(self._delay.samples - LEAD_SAMPLES), heard)
        self._filter_share = min(1.0, self._filter_share + 1 / FADE_BLOCKS)
        # a filter that has not converged may add echo
        if np.sum(left**2) >= np.sum(heard**2):
            return heard
        return heard + np.float32(self._filter_share) * (left - heard)

    def _look_for_echo(self, played: Pcm32, heard: Pcm32) -> None:
        before = self._delay.samples
        self._delay.push(played, heard)
        self._since_moved += 1
        if self._delay.samples != before:
            self._filter, self._filter_share, self._since_moved = LinearEchoFilter(), 0.0, 0
        self._since_onset += 1
        is_speaking = np.mean(played**2) > MIN_SPEECH_POWER
        if is_speaking and self._since_played >= PAUSE_BLOCKS:
            self._since_onset = 0
        self._since_played = 0 if is_speaking else self._since_played + 1
        self._since_heard = 0 if np.mean(heard**2) > MIN_ECHO_POWER else self._since_heard + 1
        if self._first_words or not self._since_played:
            self._first_words = min(self._first_words + 1, MAX_FIRST_WORDS_BLOCKS)

    def _played_before(self, samples: int) -> Pcm32:
        """The block played this many samples before the newest one."""
        end = len(self._history) - max(samples, 0)
        return self._history[end - BLOCK_SAMPLES : end].copy()
