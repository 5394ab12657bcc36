"""Echo cancellation: removes the agent's own voice, come back over a caller's line, from what the agent hears."""

from collections.abc import Callable

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io
from livekit.agents.voice.room_io import RoomIO

from agent.adapters.audio import chunk_from, frame_from
from agent.adapters.room_sound import RoomSound
from agent.settings import EchoCancelling
from agent.turns.echo.line import EchoLine
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16

TAIL_FRAMES = 60
"""An echo may last 1.2 s after the last sound was played: the longest delay, and the room's reverberation."""


def needs_echo_cancellation(setting: EchoCancelling, kind: rtc.ParticipantKind.ValueType) -> bool:
    """Whether to cancel echo for a caller of this kind. Browsers do it themselves, telephones may not."""
    return setting == "always" or (setting == "auto" and kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP)


def cancel_echo(session: AgentSession[None], setting: EchoCancelling) -> None:
    """Cancel echo in a session that has started, as soon as a caller is there who needs it."""
    source, room_io = session.input.audio, session.room_io
    if setting == "never" or source is None:
        return
    session.input.audio = cancelled = EchoCancelledInput(source, lambda: _sound_of(room_io, setting))
    session.once("close", lambda event: cancelled.close())


def _sound_of(room_io: RoomIO, setting: EchoCancelling) -> RoomSound | None:
    caller = room_io.linked_participant
    if caller is None or not needs_echo_cancellation(setting, caller.kind):
        return None
    tracks = [publication.track for publication in room_io.room.local_participant.track_publications.values()]
    voice = next((track for track in tracks if track is not None and track.kind == rtc.TrackKind.KIND_AUDIO), None)
    return None if voice is None else RoomSound.of(voice, sample_rate=SPEECH_RATE)


class EchoCanceller:
    """Cancels the echo on one line. Our linear filter removes most of it, at any delay; WebRTC's canceller, which comes with
    LiveKit, removes the rest."""

    def __init__(self) -> None:
        self._line = EchoLine()
        self._rest = rtc.AudioProcessingModule(echo_cancellation=True, noise_suppression=True)

    def push(self, played: Pcm32, heard: Pcm32) -> Pcm32:
        """The heard block (20 ms, float32 at SPEECH_RATE) without echo; silence while it cannot be cancelled yet, and the block
        itself on a line without echo."""
        left = frame_from(AudioChunk(pcm16(self._line.push(played, heard)), SPEECH_RATE))
        self._rest.process_reverse_stream(frame_from(AudioChunk(pcm16(self._line.reference), SPEECH_RATE)))
        self._rest.process_stream(left)
        if self._line.is_unsettled:
            return np.zeros_like(heard)
        return heard if self._line.is_clear else chunk_from(left).to_float()


class EchoCancelledInput(io.AudioInput):
    """A room's input (mono, SPEECH_RATE, frames of FRAME_MS) without the agent's own voice. Frames pass untouched unless something
    is being played, or just was."""

    def __init__(self, source: io.AudioInput, listen: Callable[[], RoomSound | None]) -> None:
        """`listen` returns the agent's own sound in the room, or None as long as no caller needs cancellation."""
        super().__init__(label="EchoCancelled", source=source)
        self._input = source
        self._listen = listen
        self._room: RoomSound | None = None
        self._canceller: EchoCanceller | None = None
        self._silent_frames = TAIL_FRAMES

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await self._input.__anext__()
        self._room = self._room or self._listen()
        played = None if self._room is None else await self._room.next()
        self._silent_frames = self._silent_frames + 1 if played is None or not any(played.data) else 0
        if self._silent_frames >= TAIL_FRAMES:
            return frame
        self._canceller = self._canceller or EchoCanceller()
        heard = chunk_from(frame).to_float()
        voice = np.zeros_like(heard) if played is None else chunk_from(played).to_float()
        return frame_from(AudioChunk(pcm16(self._canceller.push(voice, heard)), SPEECH_RATE))

    def close(self) -> None:
        """Stop listening to the agent's own sound."""
        if self._room is not None:
            self._room.close()
