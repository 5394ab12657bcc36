"""A voice on its way to a caller: HeardOutput on LiveKit's own room output, in virtual time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from livekit.agents.voice import io

from agent.adapters.captions import Captions
from agent.adapters.heard_output import HeardOutput
from tests.caption_room import CaptionRoom, SentStream
from tests.published import Published
from tests.scripted import ROOM_RATE, WORD_S, Sounds
from tests.virtual_room import Loudspeaker, RoomOutput, heard

TEXT = "one two three four five six seven eight nine ten"
FRAME_S = 0.2


@dataclass(slots=True)
class Line:
    """A voice on its way to a caller."""

    output: HeardOutput
    loudspeaker: Loudspeaker
    room: CaptionRoom
    events: Published
    """The call's events, which are captioned in the room."""
    sounds: Sounds
    started: list[io.PlaybackStartedEvent] = field(default_factory=list)
    finished: list[io.PlaybackFinishedEvent] = field(default_factory=list)

    async def speak(self, text: str, *, has_times: bool = True, flush: bool = True) -> None:
        """Hand over a reply as the TTS does: 200 ms frames, each with the words that begin in it."""
        samples = self.sounds.speech(text, rate=ROOM_RATE)
        words = list(enumerate(text.split()))
        step = round(FRAME_S * ROOM_RATE)
        for start in range(0, len(samples), step):
            chunk = samples[start : start + step]
            frame = rtc.AudioFrame(chunk.tobytes(), ROOM_RATE, 1, len(chunk))
            begin = [(at, word) for at, word in words if at * WORD_S < (start + step) / ROOM_RATE]
            words = words[len(begin) :]
            if has_times:
                frame.userdata[USERDATA_TIMED_TRANSCRIPT] = [
                    TimedString(f"{word} ", start_time=at * WORD_S, end_time=(at + 1) * WORD_S) for at, word in begin
                ]
            await self.output.capture_frame(frame)
        if flush:
            self.output.flush()

    async def interrupt(self) -> io.PlaybackFinishedEvent:
        """Cut the reply short, as LiveKit does."""
        self.output.clear_buffer()
        return await self.output.wait_for_playout()

    def captions(self) -> list[SentStream]:
        """What was shown, including the pacing task's last word."""
        return self.room.sent

    @property
    def heard(self) -> str:
        """The words of which at least half came out."""
        return " ".join(word.text for word in heard(self.sounds, self.loudspeaker) if word.share >= 0.5)


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    """Open a line on which nothing has been said yet."""
    room, loudspeaker, events = CaptionRoom(), Loudspeaker(), Published()
    Captions(room.as_room(), events)
    sink = RoomOutput(loudspeaker)
    output = HeardOutput(sink, events)
    made = Line(output, loudspeaker, room, events, Sounds())
    output.on("playback_started", made.started.append)
    output.on("playback_finished", made.finished.append)
    try:
        yield made
    finally:
        await events.aclose()
        await sink.aclose()
