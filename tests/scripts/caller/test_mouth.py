"""Lines on the audio clock, exact to the sample."""

import asyncio

import numpy as np
import pytest

from scripts.caller.clock import FRAME_S, FRAME_SAMPLES, RATE, AudioClock
from scripts.caller.measure import level_dbfs
from scripts.caller.mouth import FLOOR_DBFS, LEAD_S, Kind, Mouth, until_spoken
from scripts.caller.voice import Line
from serving.audio import Pcm16

pytestmark = pytest.mark.unit


def line(samples: int) -> Line:
    return Line("a line", np.full(samples, 5000, np.int16))


def test_a_line_begins_with_the_next_frame_and_its_position_is_known() -> None:
    mouth = Mouth(floor_dbfs=-np.inf)
    for _ in range(3):
        mouth.next_frame()
    utterance = mouth.say(line(FRAME_SAMPLES + 40))
    assert utterance.start_sample is None
    mouth.next_frame()
    assert not utterance.handed_over.is_set()
    mouth.next_frame()
    assert utterance.handed_over.is_set()
    assert utterance.start_sample == 3 * FRAME_SAMPLES
    assert utterance.end_sample == 4 * FRAME_SAMPLES + 40
    loud = np.flatnonzero(mouth.recording())
    assert (loud[0], loud[-1] + 1) == (utterance.start_sample, utterance.end_sample)


def test_lines_wait_for_each_other() -> None:
    mouth = Mouth(floor_dbfs=-np.inf)
    first, second = mouth.say(line(FRAME_SAMPLES)), mouth.say(line(FRAME_SAMPLES), Kind.BARGE_IN)
    mouth.next_frame()
    mouth.next_frame()
    assert first.end_sample == second.start_sample == FRAME_SAMPLES
    assert mouth.utterances == [first, second]


def test_between_lines_there_is_the_noise_of_a_quiet_room() -> None:
    mouth = Mouth()
    for _ in range(100):
        mouth.next_frame()
    assert level_dbfs(mouth.recording()) == pytest.approx(FLOOR_DBFS, abs=1)


async def test_frames_are_handed_over_ahead_of_the_clock_and_spoken_on_it() -> None:
    mouth, clock, sent = Mouth(), AudioClock(), []

    async def send(frame: Pcm16) -> None:
        sent.append((clock.now_s(), frame))

    speaking = asyncio.create_task(mouth.run(clock, send))
    utterance = mouth.say(line(RATE // 5))
    spoken_s = await until_spoken(utterance, clock)
    now_s = clock.now_s()
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    assert utterance.end_sample is not None
    assert spoken_s == utterance.end_sample / RATE
    assert now_s >= spoken_s
    # never earlier than the lead allows: frame k ends at (k + 1) * FRAME_S
    assert all(at_s >= (k + 1) * FRAME_S - LEAD_S - 1e-3 for k, (at_s, _) in enumerate(sent))
    assert all(len(frame) == FRAME_SAMPLES for _, frame in sent)
