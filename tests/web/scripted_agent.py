"""An agent that follows the test's script: joins the room as an agent and publishes what the real one publishes."""

import asyncio
import contextlib
import json
import math
from array import array
from dataclasses import dataclass, field

from livekit import api, rtc

from tests.livekit_server import LiveKitServer

SAMPLE_RATE = 24_000
FRAME_SAMPLES = 480
TONE_HZ = 440
TONE_AMPLITUDE = 8000


@dataclass(slots=True)
class ScriptedAgent:
    """Connected to one room. Everything it does, the test tells it."""

    room: rtc.Room
    source: rtc.AudioSource
    typed: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    """What the caller typed, in order."""
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @classmethod
    async def join(cls, server: LiveKitServer, room_name: str) -> "ScriptedAgent":
        """Joins `room_name` as a participant of the kind agent and publishes a silent voice."""
        token = (
            api.AccessToken(server.key, server.secret)
            .with_identity("agent")
            .with_kind("agent")
            .with_grants(api.VideoGrants(room_join=True, room=room_name, can_update_own_metadata=True, agent=True))
            .to_jwt()
        )
        agent = cls(room=rtc.Room(), source=rtc.AudioSource(SAMPLE_RATE, 1))
        agent.room.register_text_stream_handler("lk.chat", agent._receive)
        await agent.room.connect(server.url, token)
        track = rtc.LocalAudioTrack.create_audio_track("voice", agent.source)
        await agent.room.local_participant.publish_track(track)
        return agent

    async def leave(self) -> None:
        """Leaves the room; what it was playing ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()
        await self.source.aclose()

    @property
    def caller(self) -> str:
        """The identity of the one caller in the room."""
        return next(iter(self.room.remote_participants))

    async def caption(
        self, text: str, *, segment: str, final: bool = False, caller: bool = False, interrupted: bool = False
    ) -> None:
        """A segment's whole text so far, as a stream of its own."""
        attributes = {"lk.segment_id": segment, "lk.transcription_final": str(final).lower()}
        if interrupted:
            attributes["callbox.interrupted"] = "true"
        writer = await self.room.local_participant.stream_text(
            topic="lk.transcription", attributes=attributes, sender_identity=self.caller if caller else None
        )
        await writer.write(text)
        await writer.aclose()

    async def caption_in_pieces(self, pieces: list[str], *, segment: str) -> None:
        """A segment as one stream that grows, final at its end."""
        writer = await self.room.local_participant.stream_text(
            topic="lk.transcription", attributes={"lk.segment_id": segment, "lk.transcription_final": "false"}
        )
        for piece in pieces:
            await writer.write(piece)
        await writer.aclose(attributes={"lk.transcription_final": "true"})

    async def set_state(self, state: str) -> None:
        """listening, thinking or speaking."""
        await self.room.local_participant.set_attributes({"lk.agent.state": state})

    async def report(self, topic: str, message: object) -> None:
        """A message on `callbox.turn` or `callbox.tool`."""
        await self.room.local_participant.send_text(json.dumps(message), topic=topic)

    async def play_tone(self, duration_s: float) -> None:
        """Plays a tone in real time."""
        for start in range(0, int(duration_s * SAMPLE_RATE), FRAME_SAMPLES):
            angles = (2 * math.pi * TONE_HZ * (start + n) / SAMPLE_RATE for n in range(FRAME_SAMPLES))
            samples = array("h", (int(TONE_AMPLITUDE * math.sin(angle)) for angle in angles))
            await self.source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME_SAMPLES))

    async def loudest_heard(self, duration_s: float) -> int:
        """The largest sample (of 32767) heard from the caller's microphone within `duration_s`."""
        publication = await self._microphone()
        stream = rtc.AudioStream(publication, sample_rate=16_000, num_channels=1)
        loudest = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(duration_s):
                async for event in stream:
                    loudest = max(loudest, *(abs(sample) for sample in event.frame.data))
        await stream.aclose()
        return loudest

    async def _microphone(self) -> rtc.Track:
        async with asyncio.timeout(10):
            while True:
                for participant in self.room.remote_participants.values():
                    for publication in participant.track_publications.values():
                        if publication.track is not None:
                            return publication.track
                await asyncio.sleep(0.05)

    def _receive(self, reader: rtc.TextStreamReader, _identity: str) -> None:
        async def read() -> None:
            self.typed.put_nowait(await reader.read_all())

        task = asyncio.create_task(read())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
