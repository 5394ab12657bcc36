"""What the demo's recogniser makes of rendered takes: its own errors, and the endings that it invents for unfinished sentences.

As in a call, a pause of a quarter of a second starts a new utterance, which is decoded by itself, in a window of 4 s if it fits.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from scripts.train.end_of_turn.takes import SOUND_S, Take
from serving.audio import SPEECH_RATE

WINDOW_S = 4
MARGIN_S = 0.5
"""Least silence after an utterance."""
FRAMES_PER_S = 100
BATCH = 16
MAX_TOKENS = 96
"""Tokens; speech takes fewer."""


class Recogniser:
    """The demo's, or another CTranslate2 Whisper."""

    def __init__(self, folder: Path) -> None:
        """Loads it, on one thread."""
        self._model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        self._tokens: Any = Tokenizer(
            self._model.hf_tokenizer, self._model.model.is_multilingual, task="transcribe", language="en"
        )
        self._prompt = self._model.get_prompt(self._tokens, [], without_timestamps=True)

    def words(self, takes: Sequence[Take]) -> list[str | None]:
        """The words of takes, given in spoken order. None where an utterance is longer than a take's sound."""
        windows = defaultdict[int, list[int]](list)
        for number, take in enumerate(takes):
            if len(self._sound(take)) < SOUND_S * SPEECH_RATE:
                windows[self._window_s(take)].append(number)
        found: dict[int, str] = {}
        for window_s, numbers in windows.items():
            for begin in range(0, len(numbers), BATCH):
                chosen = numbers[begin : begin + BATCH]
                found |= dict(zip(chosen, self._decoded([takes[n] for n in chosen], window_s), strict=True))
        return _joined(takes, found)

    def _sound(self, take: Take) -> np.ndarray:
        return take.samples[max(0, len(take.samples) - take.utterance_samples) :]

    def _window_s(self, take: Take) -> int:
        return max(WINDOW_S, int(np.ceil(len(self._sound(take)) / SPEECH_RATE + MARGIN_S)))

    def _decoded(self, takes: Sequence[Take], window_s: int) -> list[str]:
        mels = np.stack([self._mel(self._sound(take), window_s) for take in takes])
        encoded = self._model.model.encode(ctranslate2.StorageView.from_array(mels))
        results = self._model.model.generate(
            encoded,
            [self._prompt] * len(takes),
            beam_size=1,
            max_length=MAX_TOKENS,
            suppress_blank=False,
            suppress_tokens=[-1],
        )
        return [
            self._tokens.decode([token for token in result.sequences_ids[0] if token < self._tokens.eot]).strip()
            for result in results
        ]

    def _mel(self, samples: np.ndarray, window_s: int) -> np.ndarray:
        padded = np.pad(samples, (0, window_s * SPEECH_RATE - len(samples)))
        mel = self._model.feature_extractor(padded, padding=0)[:, : window_s * FRAMES_PER_S]
        return np.ascontiguousarray(mel, dtype=np.float32)


def _joined(takes: Sequence[Take], found: dict[int, str]) -> list[str | None]:
    """Each utterance's words after those of the earlier utterances in its turn."""
    words: list[str | None] = []
    before: dict[int, str | None] = {}
    for number, take in enumerate(takes):
        if not take.words_before:
            before = {0: ""}
        said, now = before.get(take.words_before), found.get(number)
        together = None if said is None or now is None else f"{said} {now}".strip()
        before[len(take.words.split())] = together
        words.append(together)
    return words
