"""Frames laid out on the clock by their arrival."""

import numpy as np
import pytest

from scripts.caller.clock import FRAME_SAMPLES, RATE, AudioClock
from scripts.caller.ear import Arrival, Ear, lay_out
from serving.audio import Pcm16

pytestmark = pytest.mark.unit

FRAME_S = FRAME_SAMPLES / RATE


def frame(level: int = 0) -> Pcm16:
    return np.full(FRAME_SAMPLES, level, np.int16)


def onset_s(samples: Pcm16) -> float:
    return float(np.flatnonzero(samples)[0]) / RATE


def steady(count: int, start_s: float, loud_from: int) -> list[Arrival]:
    return [Arrival(start_s + i * FRAME_S, frame(9000 if i >= loud_from else 0)) for i in range(count)]


def test_a_steady_stream_lies_where_it_arrived() -> None:
    laid = lay_out(steady(200, 0.5, loud_from=100))
    assert onset_s(laid) == pytest.approx(1.5, abs=0.001)
    assert len(laid) == pytest.approx((0.5 + 2.0) * RATE, abs=1)


def test_a_late_event_loop_does_not_move_the_sound() -> None:
    arrivals = steady(300, 0.5, loud_from=150)
    # frames 120 to 160 are all read at once, when the loop is free again
    late = [
        Arrival(max(a.at_s, 0.5 + 160 * FRAME_S) if 120 <= i < 160 else a.at_s, a.samples)
        for i, a in enumerate(arrivals)
    ]
    assert onset_s(lay_out(late)) == pytest.approx(2.0, abs=0.001)


def test_a_gap_in_the_stream_becomes_silence() -> None:
    arrivals = steady(200, 0.0, loud_from=100)
    gapped = [Arrival(a.at_s + (2.0 if i >= 100 else 0.0), a.samples) for i, a in enumerate(arrivals)]
    laid = lay_out(gapped)
    assert onset_s(laid) == pytest.approx(3.0, abs=0.001)
    assert len(laid) == pytest.approx(4.0 * RATE, abs=1)


def test_a_burst_at_the_start_does_not_shift_what_follows() -> None:
    # ten frames come at once before the stream is steady
    burst = [Arrival(0.2, frame()) for _ in range(10)]
    steadily = [Arrival(0.2 + i * FRAME_S, frame(9000 if i >= 100 else 0)) for i in range(200)]
    assert onset_s(lay_out(burst + steadily)) == pytest.approx(1.2, abs=0.006)


def test_nothing_heard_is_an_empty_recording() -> None:
    assert len(lay_out([])) == 0


def test_an_ear_knows_when_sound_began_and_whether_it_goes_on() -> None:
    ear = Ear(AudioClock())
    for i in range(300):
        ear.hear(frame(9000 if 100 <= i < 150 or i >= 250 else 0), i * FRAME_S)
    assert ear.began_after(0.0) == pytest.approx(1.02, abs=0.011)
    assert ear.began_after(1.1) == pytest.approx(2.52, abs=0.011)
    assert ear.sounded_since(2.9)
    assert not ear.sounded_since(3.0)


def test_a_click_is_not_sound() -> None:
    ear = Ear(AudioClock())
    for i in range(10):
        ear.hear(frame(9000 if i == 5 else 0), i * FRAME_S)
    assert ear.last_sound_s is None
    assert ear.began_after(0.0) is None
