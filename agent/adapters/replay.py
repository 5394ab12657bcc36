"""The caller's audio that has not been recognised yet, kept for replay in case the engine fails."""

from collections import deque

from serving.audio import AudioChunk

MAX_S = 30.0
"""No utterance is longer: the engines end it before that."""


class ReplayBuffer:
    """Unrecognised audio of one call; times are seconds since the call's first sample."""

    def __init__(self) -> None:
        self._chunks: deque[AudioChunk] = deque()
        self.start_s = 0.0
        """Where the kept audio begins."""
        self.end_s = 0.0
        """Where it ends: how much audio there has been."""

    @property
    def chunks(self) -> tuple[AudioChunk, ...]:
        """The kept audio, in order."""
        return tuple(self._chunks)

    def push(self, chunk: AudioChunk) -> None:
        """Append the caller's next audio."""
        self._chunks.append(chunk)
        self.end_s += chunk.duration_s
        self.forget_before(self.end_s - MAX_S)

    def forget_before(self, at_s: float) -> None:
        """Drop audio before `at_s`, in whole chunks: its words are known, or there were none."""
        while self._chunks and self.start_s + self._chunks[0].duration_s <= at_s:
            self.start_s += self._chunks.popleft().duration_s
