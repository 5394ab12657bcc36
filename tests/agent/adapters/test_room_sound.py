"""What the room plays stays in step with what it hears, whatever the event loop does to either. Virtual time."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from livekit import rtc

from agent.adapters.room_sound import FRAME_MS, LATE_S, MAX_QUEUED_FRAMES, PATIENCE_FRAMES, RoomSound
from serving.audio import SPEECH_RATE
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

FRAME_S = FRAME_MS / 1000
SAMPLES = SPEECH_RATE * FRAME_MS // 1000


async def track(
    numbers: Iterable[int], *, stalls: dict[int, float] | None = None
) -> AsyncIterator[rtc.AudioFrameEvent]:
    """Frames that hold their number, one every FRAME_S. Before some the event loop stalls: they and what they held up come at once."""
    began_s = asyncio.get_running_loop().time()
    late_until_s = 0.0
    for count, number in enumerate(numbers, 1):
        due_s = began_s + count * FRAME_S
        late_until_s = max(late_until_s, due_s + (stalls or {}).get(number, 0.0))
        await asyncio.sleep(max(0.0, max(due_s, late_until_s) - asyncio.get_running_loop().time()))
        yield rtc.AudioFrameEvent(rtc.AudioFrame(number.to_bytes(2, "little") * SAMPLES, SPEECH_RATE, 1, SAMPLES))


async def pairs(sound: RoomSound, heard: AsyncIterator[rtc.AudioFrameEvent]) -> list[tuple[int, int | None]]:
    """Numbers of frames heard, and of what was played meanwhile."""
    found: list[tuple[int, int | None]] = []
    async for event in heard:
        played = await sound.next()
        found.append((event.frame.data[0], None if played is None else played.data[0]))
    return found


def offsets(found: list[tuple[int, int | None]]) -> list[int | None]:
    return [None if played is None else heard - played for heard, played in found]


@in_virtual_time
async def test_frames_pair_by_count() -> None:
    sound = RoomSound(track(range(200)))
    await asyncio.sleep(FRAME_S / 2)
    assert set(offsets(await pairs(sound, track(range(200))))) == {0}


@pytest.mark.parametrize("stalls", [{20: 0.3}, {20: 0.3, 60: 0.09, 61: 0.05}])
@in_virtual_time
async def test_a_stalled_event_loop_changes_nothing(stalls: dict[int, float]) -> None:
    sound = RoomSound(track(range(200), stalls=stalls))
    await asyncio.sleep(FRAME_S / 2)
    assert set(offsets(await pairs(sound, track(range(200), stalls=stalls)))) == {0}


@in_virtual_time
async def test_before_the_track_is_heard_nothing_is_waited_for() -> None:
    sound = RoomSound(track(range(100)))
    began_s = asyncio.get_running_loop().time()
    assert await sound.next() is None
    assert asyncio.get_running_loop().time() == began_s


@in_virtual_time
async def test_a_gap_in_what_is_heard_is_made_up_for() -> None:
    sound = RoomSound(track(range(200)))
    await asyncio.sleep(FRAME_S / 2)
    found = await pairs(sound, _with_gap(30, 40))
    assert set(offsets(found[:30])) == {0}
    assert set(offsets(found[-20:])) <= {0, 1}


async def _with_gap(first: int, frames: int) -> AsyncIterator[rtc.AudioFrameEvent]:
    async for event in track(range(200)):
        if not first <= event.frame.data[0] < first + frames:
            yield event


@in_virtual_time
async def test_what_is_heard_is_not_held_up_for_long() -> None:
    """The track has lost frames: what is heard goes ahead."""
    sound = RoomSound(track(number for number in range(240) if not 30 <= number < 33))
    await asyncio.sleep(FRAME_S / 2)
    late_s: list[float] = []
    began_s = asyncio.get_running_loop().time()
    async for event in track(range(230)):
        await sound.next()
        late_s.append(asyncio.get_running_loop().time() - began_s - (event.frame.data[0] + 1) * FRAME_S)
    assert max(late_s) < LATE_S
    assert late_s[-1] < FRAME_S


@in_virtual_time
async def test_a_track_that_has_ended_holds_nothing_up() -> None:
    sound = RoomSound(track(range(10)))
    await asyncio.sleep(1.0)
    played = [await sound.next() for _ in range(10 + PATIENCE_FRAMES)]
    began_s = asyncio.get_running_loop().time()
    assert await sound.next() is None
    assert asyncio.get_running_loop().time() == began_s
    assert sum(frame is not None for frame in played) > 0
    sound.close()


@in_virtual_time
async def test_sound_that_nobody_asks_for_does_not_pile_up() -> None:
    sound = RoomSound(track(range(MAX_QUEUED_FRAMES + 100)))
    await asyncio.sleep((MAX_QUEUED_FRAMES + 100.5) * FRAME_S)
    oldest = await sound.next()
    assert oldest is not None
    assert oldest.data[0] == 100
