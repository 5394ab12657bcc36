"""Both transcripts as a client of the room sees them: text streams on `lk.transcription`, joined into segments. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Segment:
    """A stretch of one participant's words."""

    segment_id: str
    identity: str
    began_s: float
    """Clock time of its first text."""
    text: str = ""
    final: bool = False
    """False while it may still change."""


class Captions:
    """Segments in the order in which they began."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._by_id: dict[str, Segment] = {}

    def open(self, segment_id: str, identity: str, at_s: float) -> Segment:
        """A stream begins: the segment it is about. With a known id its text stands until the stream's own has come."""
        segment = self._by_id.get(segment_id)
        if segment is None:
            segment = Segment(segment_id, identity, at_s)
            self._by_id[segment_id] = segment
            self.segments.append(segment)
        return segment

    def text(self, identities: set[str], *, since_s: float = 0.0) -> str:
        """The words of these participants in segments that began after a time, joined by spaces."""
        parts = [s.text.strip() for s in self.segments if s.identity in identities and s.began_s >= since_s]
        return " ".join(part for part in parts if part)
