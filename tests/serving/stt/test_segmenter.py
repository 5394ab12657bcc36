"""Utterances, partials, preflights and finals from voice activity, in virtual audio time."""

import itertools
from dataclasses import fields, replace

import pytest

from serving.speech import VoiceActivity
from serving.stt.segmenter import Begin, Finish, Partial, Reopen, Segmenter, SegmenterOptions, Settle, Step

pytestmark = pytest.mark.unit

WINDOW_S = 0.032
OPTIONS = SegmenterOptions(preflight_silence_ms=96, final_silence_ms=200, partial_interval_ms=250, preroll_ms=300)


class Timeline:
    """A segmenter that hears speech ("s") and silence (".") window by window."""

    def __init__(self, options: SegmenterOptions = OPTIONS) -> None:
        self.segmenter = Segmenter(options, window_s=WINDOW_S)
        self.windows = 0
        self.steps: list[Step] = []

    @property
    def now_s(self) -> float:
        """How much audio has been heard."""
        return self.windows * WINDOW_S

    def hear(self, marks: str, level: float = 1.0) -> list[Step]:
        """The steps that follow from these windows."""
        steps: list[Step] = []
        for mark in marks:
            self.windows += 1
            steps += self.segmenter.push(VoiceActivity(1.0 if mark == "s" else 0.0, self.now_s), level)
        self.steps += steps
        return [rounded(step) for step in steps]

    def flush(self) -> list[Step]:
        """The steps that follow from a flush."""
        steps = self.segmenter.flush(self.now_s)
        self.steps += steps
        return [rounded(step) for step in steps]


def rounded(step: Step) -> Step:
    """The step, with times rounded to 0.1 ms."""
    times = {field.name: round(getattr(step, field.name), 4) for field in fields(step)}
    return replace(step, **times)


def kinds(steps: list[Step]) -> list[type[Step]]:
    """Classes of the steps other than partials."""
    return [type(step) for step in steps if not isinstance(step, Partial)]


def test_an_utterance_begins_with_its_preroll() -> None:
    timeline = Timeline()
    timeline.hear("." * 20)
    begin = timeline.hear("ss")[0]
    assert begin == Begin(at_s=0.64, clip_start_s=0.34)


def test_the_preroll_does_not_reach_before_the_call_or_into_the_utterance_before() -> None:
    timeline = Timeline()
    assert timeline.hear("ss") == [Begin(at_s=0.0, clip_start_s=0.0)]
    settle = timeline.hear("...")[0]
    timeline.hear("." * 4)
    begin = timeline.hear("ss")[0]
    assert isinstance(settle, Settle)
    assert isinstance(begin, Begin)
    assert begin.clip_start_s == pytest.approx(settle.clip_end_s)


def test_partials_come_at_their_interval_while_the_caller_speaks() -> None:
    timeline = Timeline()
    ends = [step.clip_end_s for step in timeline.hear("s" * 40) if isinstance(step, Partial)]
    assert len(ends) == 4
    assert all(later - sooner == pytest.approx(0.256) for sooner, later in itertools.pairwise(ends))


def test_no_partial_is_asked_for_where_a_pause_may_begin() -> None:
    timeline = Timeline()
    timeline.hear("s" * 9)
    assert timeline.hear("..") == []
    assert [type(step) for step in timeline.hear("s")] == [Partial]


def test_a_pause_is_settled_once_and_becomes_the_final() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30)
    assert timeline.hear("..") == []
    assert timeline.hear(".") == [Settle(clip_end_s=1.056, speech_end_s=0.96)]
    assert timeline.hear("...") == []
    assert [type(step) for step in timeline.hear(".")] == [Finish]
    assert timeline.hear("." * 50) == []


def test_a_caller_who_goes_on_reopens_the_utterance() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30 + "....")
    assert kinds(timeline.hear("ss")) == [Reopen]
    assert kinds(timeline.hear("s" * 10 + "." * 7)) == [Settle, Finish]
    assert kinds(timeline.steps) == [Begin, Settle, Reopen, Settle, Finish]
    begin, last = timeline.steps[0], [step for step in timeline.steps if isinstance(step, Settle)][-1]
    assert isinstance(begin, Begin)
    assert begin.clip_start_s == 0.0
    assert last.speech_end_s == pytest.approx(46 * 0.032)


def test_speech_that_may_be_going_on_holds_the_final_back() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30 + "." * 6)
    assert timeline.hear("s") == []
    assert kinds(timeline.hear("s")) == [Reopen]


def test_a_click_in_the_pause_does_not_reopen() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30 + "....")
    assert kinds(timeline.hear("s......")) == [Finish]


def test_a_flush_while_speaking_settles_with_all_audio_and_finishes() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30)
    assert timeline.flush() == [Settle(0.96, 0.96), Finish(0.96)]
    assert timeline.flush() == []


def test_a_flush_in_a_pause_finishes_what_was_settled() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30 + "...")
    assert kinds(timeline.flush()) == [Finish]


def test_a_flush_in_silence_does_nothing() -> None:
    timeline = Timeline()
    timeline.hear("." * 30)
    assert timeline.flush() == []


def test_speech_that_goes_on_after_a_flush_is_a_new_utterance_that_loses_nothing() -> None:
    timeline = Timeline()
    timeline.hear("s" * 30)
    timeline.flush()
    begin = timeline.hear("ss")[0]
    assert begin == Begin(at_s=0.96, clip_start_s=0.96)


def test_a_long_utterance_ends_at_its_next_pause() -> None:
    options = SegmenterOptions(eager_from_s=2.0)
    timeline = Timeline(options)
    timeline.hear("s" * 70)
    assert kinds(timeline.hear("...")) == [Settle, Finish]


def test_a_caller_who_never_pauses_is_cut_at_the_quietest_moment() -> None:
    options = SegmenterOptions(max_utterance_s=4.0, cut_search_s=1.0)
    timeline = Timeline(options)
    timeline.hear("s" * 50, level=0.01)  # quiet, but before the search begins
    timeline.hear("s" * 60, level=1.0)
    timeline.hear("s", level=0.1)
    quiet_s = round(timeline.now_s - WINDOW_S / 2, 4)
    cut = timeline.hear("s" * 14)
    settle, finish, begin = (step for step in cut if not isinstance(step, Partial))
    assert settle == Settle(quiet_s, quiet_s)
    assert finish == Finish(quiet_s)
    assert begin == Begin(quiet_s, quiet_s)


def test_endless_speech_is_covered_without_gaps_or_overlaps() -> None:
    options = SegmenterOptions(max_utterance_s=4.0, cut_search_s=1.0)
    timeline = Timeline(options)
    timeline.hear("s" * 1000)
    timeline.flush()
    begins = [step.clip_start_s for step in timeline.steps if isinstance(step, Begin)]
    ends = [step.clip_end_s for step in timeline.steps if isinstance(step, Settle)]
    assert len(begins) == len(ends) >= 8
    assert begins == [0.0, *ends[:-1]]
    assert ends[-1] == pytest.approx(1000 * WINDOW_S)
    assert all(end - begin <= 4.0 for begin, end in zip(begins, ends, strict=True))


def test_audio_that_may_still_be_asked_for_is_kept() -> None:
    timeline = Timeline()
    timeline.hear("." * 100)
    kept = timeline.segmenter.keep_from_s(timeline.now_s)
    begin = timeline.hear("ss")[0]
    assert isinstance(begin, Begin)
    assert kept <= begin.clip_start_s + 1e-9
    timeline.hear("s" * 100)
    assert timeline.segmenter.keep_from_s(timeline.now_s) == pytest.approx(begin.clip_start_s)
