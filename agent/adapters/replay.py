"""The end of the caller's audio whose words are not known yet, kept in case a failed engine must hear it again."""

from collections import deque

from serving.audio import AudioChunk

MOST_S = 30.0
"""No utterance is longer than the engines let one become."""


class Unheard:
    """Audio on the clock of one call: seconds since its first sample."""

    def __init__(self) -> None:
        self._chunks: deque[AudioChunk] = deque()
        self.start_s = 0.0
        """Where the kept audio begins."""
        self.end_s = 0.0
        """How much audio there has been."""

    @property
    def chunks(self) -> tuple[AudioChunk, ...]:
        """What is kept, in order."""
        return tuple(self._chunks)

    def push(self, chunk: AudioChunk) -> None:
        """The caller's next sound."""
        self._chunks.append(chunk)
        self.end_s += chunk.duration_s
        self.forget_before(self.end_s - MOST_S)

    def forget_before(self, at_s: float) -> None:
        """The words up to here are known, or there were none; whole chunks are dropped."""
        while self._chunks and self.start_s + self._chunks[0].duration_s <= at_s:
            self.start_s += self._chunks.popleft().duration_s
