"""A fake room with only what captions need: text streams, kept as they were sent."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

from livekit import rtc


@dataclass(slots=True)
class SentStream:
    """One text stream."""

    topic: str
    attributes: dict[str, str]
    identity: str | None
    text: str = ""
    is_closed: bool = False

    @property
    def segment(self) -> str:
        """ID of the caption that it updates."""
        return self.attributes["lk.segment_id"]

    @property
    def is_final(self) -> bool:
        """Whether its caption no longer changes."""
        return self.attributes["lk.transcription_final"] == "true"

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller interrupted it."""
        return self.attributes.get("callbox.interrupted") == "true"

    async def write(self, text: str) -> None:
        """As rtc.TextStreamWriter."""
        self.text += text

    async def aclose(self) -> None:
        """As rtc.TextStreamWriter."""
        self.is_closed = True


@dataclass(slots=True)
class CaptionRoom:
    """`room.local_participant.stream_text`, and nothing else."""

    sent: list[SentStream] = field(default_factory=list)
    failure: Exception | None = None
    """Raised instead of opening a stream, if set."""
    takes_s: float = 0.0
    """How long it takes to open a stream."""

    @property
    def local_participant(self) -> "CaptionRoom":
        """As rtc.Room."""
        return self

    async def stream_text(self, *, topic: str, attributes: dict[str, str], sender_identity: str | None) -> SentStream:
        """As rtc.LocalParticipant."""
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        if self.failure is not None:
            raise self.failure
        self.sent.append(SentStream(topic, attributes, sender_identity))
        return self.sent[-1]

    def as_room(self) -> rtc.Room:
        """This room, typed as LiveKit's."""
        return cast(rtc.Room, self)
