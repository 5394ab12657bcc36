"""The metrics on sounds over the agent's voice."""

from agent.call.events import OverlapVerdict
from serving import metrics


class CountedOverlaps:
    """Overlaps counted since it was created, by verdict; verdicts with none are left out."""

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
