"""Both transcripts as a client of the room sees them: text streams on `lk.transcription`, merged into segments. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Segment:
    """Words of one participant."""

    segment_id: str
    identity: str
    began_s: float
    """Time of its first text."""
    text: str = ""
    final: bool = False
    """False while the text may still change."""


class Captions:
    """Segments in the order in which they began."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._by_id: dict[str, Segment] = {}

    def open(self, segment_id: str, identity: str, at_s: float) -> Segment:
        """The segment of a stream that begins. A known id keeps its text until the stream brings a new one."""
        segment = self._by_id.get(segment_id)
        if segment is None:
            segment = Segment(segment_id, identity, at_s)
            self._by_id[segment_id] = segment
            self.segments.append(segment)
        return segment

    def text(self, identities: set[str], *, since_s: float = 0.0) -> str:
        """The words of these participants in segments that began since `since_s`, separated by spaces."""
        parts = [s.text.strip() for s in self.segments if s.identity in identities and s.began_s >= since_s]
        return " ".join(part for part in parts if part)
