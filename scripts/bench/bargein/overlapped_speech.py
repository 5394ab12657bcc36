"""Real people: overlapping segments of recorded meetings (AMI), judged as if the other speaker were the agent.

A segment that begins while another speaker is talking counts as a backchannel if it is short and as a barge-in if it is long.
One microphone records everybody, so the other speaker's voice is in the sound too: far harder than a call.
"""

from dataclasses import dataclass
from pathlib import Path

import soundfile

from scripts.bench.rttm import Segment, read_rttm
from serving.audio import Pcm32

MAX_SHORT_S, MIN_LONG_S = 0.8, 2.0


@dataclass(frozen=True, slots=True)
class Overlapped:
    """A segment that began during another speaker's."""

    samples: Pcm32
    """The whole meeting."""
    start_s: float
    is_long: bool


def overlapping(each: list[Segment]) -> list[tuple[Segment, bool]]:
    """Short and long segments that began at least 0.5 s into another speaker's, and whether they are long."""
    found = []
    for segment in each:
        length_s = segment.end_s - segment.start_s
        others = [other for other in each if other.speaker != segment.speaker]
        is_over = any(
            other.start_s + 0.5 <= segment.start_s and segment.start_s + 0.3 <= other.end_s for other in others
        )
        if is_over and (length_s <= MAX_SHORT_S or length_s >= MIN_LONG_S):
            found.append((segment, length_s >= MIN_LONG_S))
    return found


def overlapped_segments(folder: Path) -> list[Overlapped]:
    """Every such segment of the recordings in a folder with ami.rttm; none without that file."""
    if not (folder / "ami.rttm").is_file():
        return []
    found = []
    for recording, each in read_rttm(folder / "ami.rttm").items():
        path = folder / f"{recording}.flac"
        if path.is_file():
            samples, _rate = soundfile.read(path, dtype="float32")
            found += [Overlapped(samples, segment.start_s, is_long) for segment, is_long in overlapping(each)]
    return found
