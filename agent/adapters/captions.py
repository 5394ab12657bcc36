"""What a call sends into its room: captions of both sides, each turn's figures, tool results.

Captions are text streams on `lk.transcription`, as LiveKit clients expect: each update is a new stream with the segment's
whole text so far, and a client replaces what it has under that segment ID. When the caller cuts the agent short, the agent's
segment ends with the attribute `callbox.interrupted`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from livekit import rtc
from livekit.agents import utils

from agent.call.events import (
    AgentHeard,
    CallerTranscript,
    CallEvent,
    ParticipantJoined,
    ParticipantLeft,
    Payload,
    ToolReturned,
    TurnFigures,
)
from agent.call.stream import EventStream
from serving.speech import TranscriptStage

TRANSCRIPTION_TOPIC = "lk.transcription"
TURN_TOPIC = "callbox.turn"
TOOL_TOPIC = "callbox.tool"


class Captions:
    """Sends captions, figures and tool results in order. Subscribes to the call's events."""

    def __init__(self, room: rtc.Room, events: EventStream) -> None:
        self._room = room
        self._caller: str | None = None
        """Identity of the caller while they are in the room."""
        self._caller_segment = utils.shortuuid("caller_")
        self._is_room_gone = False
        events.subscribe("captions", self._handle)

    async def _handle(self, event: CallEvent[Payload]) -> None:
        match event.payload:
            case ParticipantJoined(identity) if self._caller is None:
                self._caller = identity.text
            case ParticipantLeft(identity) if self._caller == identity.text:
                self._caller = None
            case CallerTranscript(stage, said) if self._caller is not None:
                is_final = stage is TranscriptStage.FINAL
                await self._send(said.text, _attributes(self._caller_segment, is_final=is_final), self._caller)
                if is_final:
                    self._caller_segment = utils.shortuuid("caller_")
            case AgentHeard(segment, said, is_final, is_interrupted):
                attributes = _attributes(segment, is_final=is_final)
                if is_interrupted:
                    attributes["callbox.interrupted"] = "true"
                await self._send(said.text, attributes)
            case TurnFigures() as figures:
                await self._send_json(TURN_TOPIC, asdict(figures))
            case ToolReturned() as tool:
                await self._send_json(TOOL_TOPIC, {"name": tool.name, "status": tool.status})

    async def _send_json(self, topic: str, content: Mapping[str, Any]) -> None:
        await self._send(json.dumps(content), {}, topic=topic)

    async def _send(
        self, text: str, attributes: dict[str, str], identity: str | None = None, *, topic: str = TRANSCRIPTION_TOPIC
    ) -> None:
        if self._is_room_gone:
            return
        try:
            writer = await self._room.local_participant.stream_text(
                topic=topic, attributes=attributes, sender_identity=identity
            )
            await writer.write(text)
            await writer.aclose()
        except (rtc.StreamError, ConnectionError, RuntimeError):
            self._is_room_gone = True  # and with it everyone who could read captions


def _attributes(segment: str, *, is_final: bool) -> dict[str, str]:
    return {"lk.segment_id": segment, "lk.transcription_final": "true" if is_final else "false"}
