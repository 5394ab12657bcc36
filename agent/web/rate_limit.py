"""Limits how often one address may start a call: a token bucket per address. Pure: the time is passed in."""

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_ADDRESSES = 4096
"""Buckets kept; the least recently used is dropped, so a sweep of addresses cannot fill memory."""


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """Lets `burst` requests through at once and `per_second` after that, for each address separately."""

    per_second: float
    burst: int
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def allow(self, address: str, *, now_s: float) -> bool:
        """Whether a request from `address` at `now_s` (any monotonic clock) is allowed; counts it if so."""
        tokens, seen_s = self._buckets.pop(address, (float(self.burst), now_s))
        tokens = min(float(self.burst), tokens + (now_s - seen_s) * self.per_second)
        allowed = tokens >= 1.0
        self._buckets[address] = (tokens - 1.0 if allowed else tokens, now_s)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return allowed
