"""The transport's share of voice-to-voice: a click to an echo participant and back, through the same server.

The clicks use the caller's own mouth and ear, and are measured as turns are: in the recording. The echo participant returns
every frame as it comes.
"""

import asyncio
from collections.abc import Callable

import numpy as np
from livekit import rtc

from scripts.caller.clock import FRAME_S, FRAME_SAMPLES, RATE
from scripts.caller.measure import AGENT_THRESHOLD_DBFS, CALLER_THRESHOLD_DBFS, spans
from scripts.caller.mouth import Mouth, until_spoken
from scripts.caller.room import QUEUE_MS, CallerRoom, Ticket, frames_of
from scripts.caller.voice import Line
from serving.audio import Pcm16

CLICK = Line("[click]", (9000 * np.sin(2 * np.pi * 700 * np.arange(RATE * 6 // 100) / RATE)).astype(np.int16))
"""60 ms of 700 Hz."""
CLICK_EVERY_S = 0.8
"""Time from one click to the next."""


async def measure_floor(ticket_for: Callable[[str], Ticket], *, clicks: int = 12) -> list[float]:
    """Round trips in ms of the clicks that came back. `ticket_for` gives an identity's ticket, all to the same room."""
    echo = rtc.Room()
    relays: list[asyncio.Task[None]] = []
    echo.on("track_subscribed", lambda track, *_: relays.append(asyncio.ensure_future(_relay(track, source))))
    source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
    ticket = ticket_for("echo")
    await echo.connect(ticket.url, ticket.token)
    track = rtc.LocalAudioTrack.create_audio_track("echo", source)
    await echo.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    try:
        async with CallerRoom(ticket_for("speaker")) as speaker:
            await asyncio.wait_for(speaker.agent_joined.wait(), 15)
            await asyncio.sleep(1.0)
            for _ in range(clicks):
                await until_spoken(speaker.mouth.say(CLICK), speaker.clock)
                await asyncio.sleep(CLICK_EVERY_S)
            return _round_trips_ms(speaker.mouth, speaker.ear.recording())
    finally:
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        await echo.disconnect()


async def _relay(track: rtc.Track, source: rtc.AudioSource) -> None:
    async for samples in frames_of(track):
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME_SAMPLES))


def _round_trips_ms(mouth: Mouth, heard: Pcm16) -> list[float]:
    said = spans(mouth.recording(), CALLER_THRESHOLD_DBFS, FRAME_S)
    back = spans(heard, AGENT_THRESHOLD_DBFS, FRAME_S)
    trips = (
        next((b.start_s - s.start_s for b in back if s.start_s < b.start_s < s.start_s + CLICK_EVERY_S), None)
        for s in said
    )
    return [1000 * trip for trip in trips if trip is not None]
