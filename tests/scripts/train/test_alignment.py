"""Lining up espeak's code points with flite's phones."""

import pytest

from scripts.train.text_to_speech.alignment import align

pytestmark = pytest.mark.unit


def aligned(ipa: str, phones: str, frames: list[int]) -> dict[str, int]:
    """Frames of each code point, as a dict for words without repetition."""
    points = ["^", *ipa, "$"]
    found = align(points, phones.split(), frames)
    assert found is not None
    return dict(zip(points, found.frames.tolist(), strict=True))


def test_each_phone_gives_its_frames_to_its_code_point() -> None:
    assert aligned("kæt", "pau k ae t pau", [5, 6, 7, 8, 9]) == {"^": 5, "k": 6, "æ": 7, "t": 8, "$": 9}


def test_marks_own_nothing_and_diphthongs_share() -> None:
    assert aligned("ˈbaɪ", "pau b ay pau", [5, 6, 9, 4]) == {"^": 5, "ˈ": 0, "b": 6, "a": 4, "ɪ": 5, "$": 4}


def test_blank_owns_frames_only_where_the_teacher_pauses() -> None:
    assert aligned("ɪt ɡoʊ", "pau ih t g ow pau", [1, 2, 3, 4, 6, 5])[" "] == 0
    assert aligned("ɪt,ɡoʊ", "pau ih t pau g ow pau", [1, 2, 3, 40, 4, 6, 5])[","] == 40


def test_extra_phone_joins_the_one_before() -> None:
    assert aligned("kæ", "pau k ae t pau", [1, 2, 3, 4, 5]) == {"^": 1, "k": 2, "æ": 7, "$": 5}


def test_no_frame_is_lost() -> None:
    frames = [3, 5, 7, 11, 13, 17]
    assert sum(aligned("wʌn tu", "pau w ah n t pau", frames).values()) == sum(frames)


def test_what_is_not_the_same_costs_more() -> None:
    right = align(list("^kæt$"), ["pau", "k", "ae", "t", "pau"], [1] * 5)
    wrong = align(list("^kæt$"), ["pau", "m", "iy", "z", "pau"], [1] * 5)
    assert right is not None
    assert wrong is None or wrong.cost > right.cost + 0.3
