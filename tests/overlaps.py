"""What metrics say of sounds over the agent's voice."""

from agent.call.events import OverlapVerdict
from serving import metrics


class CountedOverlaps:
    """How many have been counted since it was made, by verdict; verdicts without any are left out."""

    def __init__(self) -> None:
        self._before = self._now()

    def __call__(self) -> dict[str, int]:
        return {verdict: count for verdict, now in self._now().items() if (count := now - self._before[verdict])}

    def _now(self) -> dict[str, int]:
        read = metrics.REGISTRY.get_sample_value
        return {
            verdict.value: int(read("callbox_overlaps_total", {"verdict": verdict.value}) or 0)
            for verdict in OverlapVerdict
        }
