"""Captions of both sides, as LiveKit clients expect them: text streams on `lk.transcription`.

Each update is a stream of its own with the segment's whole text so far; a client replaces what it has under that segment
id. An agent's segment that the caller cut short ends with the attribute `callbox.interrupted`.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from livekit import rtc
from livekit.agents import utils

TRANSCRIPTION_TOPIC = "lk.transcription"
TURN_TOPIC = "callbox.turn"
TOOL_TOPIC = "callbox.tool"


class Captions:
    """Sends captions and per-turn figures into the room, in order, without holding up the call."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._outbox: asyncio.Queue[tuple[str, str, dict[str, str], str | None]] = asyncio.Queue()
        self._caller_segment = utils.shortuuid("caller_")
        self._sending = asyncio.create_task(self._send())

    def caller(self, identity: str, text: str, *, is_final: bool) -> None:
        """What the caller said so far in this utterance."""
        self._put(text, self._attributes(self._caller_segment, is_final), identity)
        if is_final:
            self._caller_segment = utils.shortuuid("caller_")

    def agent(self, segment: str, text: str, *, is_final: bool, is_interrupted: bool = False) -> None:
        """What the caller has heard of this reply so far."""
        attributes = self._attributes(segment, is_final)
        if is_interrupted:
            attributes["callbox.interrupted"] = "true"
        self._put(text, attributes, None)

    def event(self, topic: str, content: Mapping[str, Any]) -> None:
        """A JSON message to whoever watches the call."""
        self._outbox.put_nowait((topic, json.dumps(content), {}, None))

    async def sent(self) -> None:
        """Wait until everything is sent, half a second at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outbox.join(), 0.5)

    async def aclose(self) -> None:
        """Stop sending; what waits is dropped."""
        self._sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sending

    def _put(self, text: str, attributes: dict[str, str], identity: str | None) -> None:
        self._outbox.put_nowait((TRANSCRIPTION_TOPIC, text, attributes, identity))

    def _attributes(self, segment: str, is_final: bool) -> dict[str, str]:
        return {"lk.segment_id": segment, "lk.transcription_final": "true" if is_final else "false"}

    async def _send(self) -> None:
        while True:
            topic, text, attributes, identity = await self._outbox.get()
            try:
                writer = await self._room.local_participant.stream_text(
                    topic=topic, attributes=attributes, sender_identity=identity
                )
                await writer.write(text)
                await writer.aclose()
                self._outbox.task_done()
            except (rtc.StreamError, ConnectionError, RuntimeError):
                return  # the room is gone, and with it everyone who could read this
