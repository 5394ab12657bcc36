"""Recorded meetings, as their reference (RTTM) describes them: who speaks from when to when."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which one person speaks."""

    speaker: str
    start_s: float
    end_s: float


def read_rttm(path: Path) -> dict[str, list[Segment]]:
    """The segments of each recording, in order of their starts."""
    found: dict[str, list[Segment]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("SPEAKER"):
            _, recording, _, start, length, _, _, speaker, *_ = line.split()
            segment = Segment(speaker, float(start), float(start) + float(length))
            found.setdefault(recording, []).append(segment)
    return {recording: sorted(segments, key=lambda one: one.start_s) for recording, segments in found.items()}
