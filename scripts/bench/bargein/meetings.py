"""Real people: overlapping segments of recorded meetings (AMI), judged as if the other speakers were the agent.

A segment of one speaker that begins while another's is going on and is short is taken for a murmur, a long one for a wish to
speak. One microphone hears them all, so the other's voice is in the sound: far harder than a call, where the agent's is not.
"""

from dataclasses import dataclass
from pathlib import Path

import soundfile

from serving.audio import Pcm32

SHORT_S, LONG_S = 0.8, 2.0
"""At most, at least."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Somebody speaks."""

    speaker: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Overlapped:
    """A segment that began over another's."""

    samples: Pcm32
    """The meeting, from its beginning."""
    start_s: float
    is_long: bool


def segments(rttm: str) -> dict[str, list[Segment]]:
    """Recording -> its segments in order, of a file in RTTM."""
    found: dict[str, list[Segment]] = {}
    for line in rttm.splitlines():
        if line.startswith("SPEAKER"):
            _, recording, _, start, length, _, _, speaker, *_ = line.split()
            found.setdefault(recording, []).append(Segment(speaker, float(start), float(start) + float(length)))
    return {recording: sorted(each, key=lambda segment: segment.start_s) for recording, each in found.items()}


def overlapping(each: list[Segment]) -> list[tuple[Segment, bool]]:
    """Segments that began at least 0.5 s into another speaker's, short and long ones; whether it is long."""
    found = []
    for segment in each:
        length_s = segment.end_s - segment.start_s
        others = [other for other in each if other.speaker != segment.speaker]
        is_over = any(
            other.start_s + 0.5 <= segment.start_s and segment.start_s + 0.3 <= other.end_s for other in others
        )
        if is_over and (length_s <= SHORT_S or length_s >= LONG_S):
            found.append((segment, length_s >= LONG_S))
    return found


def meetings(folder: Path) -> list[Overlapped]:
    """Every such segment of a folder with ami.rttm; none if it is absent."""
    if not (folder / "ami.rttm").is_file():
        return []
    found = []
    for recording, each in segments((folder / "ami.rttm").read_text(encoding="utf-8")).items():
        path = folder / f"{recording}.flac"
        if path.is_file():
            samples, _rate = soundfile.read(path, dtype="float32")
            found += [Overlapped(samples, segment.start_s, is_long) for segment, is_long in overlapping(each)]
    return found
