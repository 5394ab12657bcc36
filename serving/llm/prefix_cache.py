"""Which prompt prefixes CTranslate2 caches. Pure bookkeeping; the states themselves are inside CTranslate2.

CTranslate2 keeps one state for every distinct `static_prompt` it was asked to cache, finds it only by the whole prefix,
and frees none until the model is unloaded (`DecoderStateCache` in its layers/decoder.cc, 4.8). So a prefix is admitted at
once only when it is warmed up on purpose, otherwise on its second use, and only up to a number of tokens.
"""

import threading
from collections import OrderedDict

Tokens = tuple[str, ...]

REMEMBERED_PREFIXES = 256
"""How many prefixes are remembered after their first use."""


class PrefixCache:
    """Thread-safe."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._cached: set[Tokens] = set()
        self._admitted: set[Tokens] = set()
        self._seen: OrderedDict[Tokens, None] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def tokens(self) -> int:
        """How many tokens' states are cached, or about to be."""
        with self._lock:
            return sum(len(prefix) for prefix in self._admitted)

    def admit(self, prefix: Tokens, *, at_once: bool = False) -> bool:
        """Whether CTranslate2 should look up `prefix` in its cache, and keep it there."""
        with self._lock:
            if prefix in self._admitted:
                return True
            returns = prefix in self._seen
            self._remember(prefix)
            fits = sum(len(other) for other in self._admitted) + len(prefix) <= self._max_tokens
            if not prefix or not fits or not (returns or at_once):
                return False
            self._admitted.add(prefix)
            return True

    def cached_tokens(self, prefix: Tokens) -> int:
        """How many tokens of `prefix` a request starting now need not compute: all or none."""
        with self._lock:
            return len(prefix) if prefix in self._cached else 0

    def computed(self, prefix: Tokens) -> None:
        """CTranslate2 has computed `prefix` for a request that asked to keep it."""
        with self._lock:
            self._cached.add(prefix)

    def _remember(self, prefix: Tokens) -> None:
        self._seen[prefix] = None
        self._seen.move_to_end(prefix)
        while len(self._seen) > REMEMBERED_PREFIXES:
            self._seen.popitem(last=False)
