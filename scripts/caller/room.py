"""The caller's end of a LiveKit room: microphone out, the agent's track in, captions and figures as text streams."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
from livekit import api, rtc

from scripts.caller.captions import Captions
from scripts.caller.clock import FRAME_S, FRAME_SAMPLES, RATE, AudioClock
from scripts.caller.ear import Ear
from scripts.caller.errors import CallerError
from scripts.caller.loudspeaker import Loudspeaker
from scripts.caller.mouth import Mouth
from serving.audio import Pcm16

WEB = "http://127.0.0.1:8080"
"""The web process of a running box."""
START_IT = "start it with 'make run'"
QUEUE_MS = 200
"""Queue of the audio source: more than the mouth's lead, so that handing over a frame never waits."""
TRANSCRIPTION_TOPIC = "lk.transcription"
TURN_TOPIC = "callbox.turn"
STATE_ATTRIBUTE = "lk.agent.state"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a participant needs to join a room."""

    url: str
    """ws:// or wss:// address of the media server."""
    token: str
    room: str


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """The stages' own figures for a completed turn."""

    at_s: float
    """Clock time at which they arrived."""
    figures: dict[str, Any]
    """As sent on TURN_TOPIC: milliseconds by name, null if a stage had no part."""


def silence_media_log() -> None:
    """Keep the media library quiet: it reports every data channel that goes when a room closes as an error."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)


async def ask_for_call(web: str = WEB) -> Ticket:
    """Get a ticket for a new call from the box's web process. Raises CallerError if it refuses or does not answer."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            answer = await http.post(f"{web}/api/calls", json={})
            content = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CallerError(f"no Callbox answers at {web}: {START_IT} and call again") from error
    if answer.status != 200:
        raise CallerError(f"Callbox at {web} refuses the call: {content.get('error', answer.status)}")
    return Ticket(content["url"], content["token"], content["room"])


def mint_ticket(
    url: str, key: str, secret: str, *, room: str, identity: str, agent: str | None = None, is_telephone: bool = False
) -> Ticket:
    """A ticket signed here, for tests and measurements without the web process; `agent` is dispatched to the room.

    `is_telephone`: the caller joins as LiveKit's SIP bridge lets a telephone join.
    """
    token = api.AccessToken(key, secret).with_identity(identity).with_kind("sip" if is_telephone else "standard")
    token = token.with_grants(api.VideoGrants(room_join=True, room=room))
    if agent is not None:
        dispatch = api.RoomAgentDispatch(agent_name=agent)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    return Ticket(url, token.to_jwt(), room)


class CallerRoom:
    """One call. Use as `async with CallerRoom(ticket) as call`."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._room = rtc.Room()
        self._tasks: set[asyncio.Task[None]] = set()
        self.clock = AudioClock()
        self.mouth = Mouth()
        self.ear = Ear(self.clock)
        self.captions = Captions()
        self.turns: list[TurnEvent] = []
        """Figures of completed turns, in the order of their arrival."""
        self.agent_joined = asyncio.Event()
        """Set when the agent's track is heard."""
        self.over = asyncio.Event()
        """Set when the agent has left or the room is gone."""

    def listen_aloud(self, loudspeaker: Loudspeaker) -> None:
        """Listen through a loudspeaker that the microphone picks up. To be called before the call."""
        self.ear.loudspeaker = self.mouth.loudspeaker = loudspeaker

    async def __aenter__(self) -> "CallerRoom":
        self._room.on("track_subscribed", self._on_track)
        self._room.on("participant_disconnected", lambda participant: self.over.set())
        self._room.on("disconnected", lambda reason: self.over.set())
        self._room.register_text_stream_handler(TRANSCRIPTION_TOPIC, self._on_caption)
        self._room.register_text_stream_handler(TURN_TOPIC, self._on_turn)
        try:
            await asyncio.wait_for(self._room.connect(self._ticket.url, self._ticket.token), 15)
        except (rtc.ConnectError, TimeoutError) as error:
            raise CallerError(
                f"the media server at {self._ticket.url} cannot be joined ({error}): {START_IT}"
            ) from error
        source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        await self._room.local_participant.publish_track(
            track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )

        async def send(frame: Pcm16) -> None:
            await source.capture_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME_SAMPLES))

        self._keep(self.mouth.run(self.clock, send))
        return self

    async def __aexit__(self, *failure: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._room.disconnect(), 5)

    @property
    def identity(self) -> str:
        """The caller's own identity."""
        return self._room.local_participant.identity

    @property
    def agent_identities(self) -> set[str]:
        """Everybody else who has spoken or is in the room."""
        seen = {segment.identity for segment in self.captions.segments} | set(self._room.remote_participants)
        return seen - {self.identity}

    @property
    def agent_state(self) -> str | None:
        """The agent's state: `listening`, `thinking` or `speaking`; None before it reports one."""
        states = (p.attributes.get(STATE_ATTRIBUTE) for p in self._room.remote_participants.values())
        return next((state for state in states if state), None)

    def on_text(self, topic: str, act: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Call `act` with the text of each stream on a topic, once it is complete."""

        async def read(reader: rtc.TextStreamReader) -> None:
            with contextlib.suppress(rtc.StreamError):
                await act(await reader.read_all())

        self._room.register_text_stream_handler(topic, lambda reader, _identity: self._keep(read(reader)))

    def _on_track(self, track: rtc.Track, _publication: object, _participant: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._keep(self.ear.run(frames_of(track)))
            self.agent_joined.set()

    def _on_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._keep(self._read_caption(reader, identity))

    async def _read_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        attributes = reader.info.attributes or {}
        segment_id = attributes.get("lk.segment_id", reader.info.stream_id)
        segment = self.captions.open(segment_id, identity, self.clock.now_s())
        text = ""
        with contextlib.suppress(rtc.StreamError):  # the room closed; the text so far stays
            async for piece in reader:
                text += piece
                segment.text = text
        segment.final = (reader.info.attributes or {}).get("lk.transcription_final") == "true"

    def _on_turn(self, reader: rtc.TextStreamReader, _identity: str) -> None:
        self._keep(self._read_turn(reader))

    async def _read_turn(self, reader: rtc.TextStreamReader) -> None:
        at_s = self.clock.now_s()
        with contextlib.suppress(rtc.StreamError, json.JSONDecodeError):
            self.turns.append(TurnEvent(at_s, json.loads(await reader.read_all())))

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def frames_of(track: rtc.Track) -> AsyncIterator[Pcm16]:
    """The track's sound in frames of FRAME_SAMPLES at RATE, as they come out of the jitter buffer."""
    frame_ms = int(1000 * FRAME_S)
    stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=frame_ms)
    try:
        async for event in stream:
            yield np.frombuffer(event.frame.data, np.int16).copy()
    finally:
        await stream.aclose()
