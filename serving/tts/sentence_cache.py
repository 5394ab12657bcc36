"""A cache of recently spoken texts, so that stock phrases are not synthesized again."""

import threading
from collections import OrderedDict

from serving.tts.piper_voice import Sentence


class SentenceCache:
    """The least recently used texts are dropped first. In memory only; thread-safe."""

    def __init__(self, *, max_samples: int) -> None:
        self._max_samples = max_samples
        self._samples = 0
        self._texts: OrderedDict[str, tuple[Sentence, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, text: str) -> tuple[Sentence, ...] | None:
        """All sentences of `text`, if they are still cached."""
        with self._lock:
            if text not in self._texts:
                return None
            self._texts.move_to_end(text)
            return self._texts[text]

    def keep(self, text: str, sentences: tuple[Sentence, ...]) -> None:
        """Cache the sentences of `text`, unless they are longer than the whole cache."""
        size = _size(sentences)
        with self._lock:
            if text in self._texts or size > self._max_samples:
                return
            self._texts[text] = sentences
            self._samples += size
            while self._samples > self._max_samples:
                _, dropped = self._texts.popitem(last=False)
                self._samples -= _size(dropped)


def _size(sentences: tuple[Sentence, ...]) -> int:
    return sum(len(sentence.samples) for sentence in sentences)
