"""Dates, times and telephone numbers."""

import pytest

from agent.speech.normalizer import make_speakable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("2026-11-24", "November twenty fourth, twenty twenty six"),
        ("2026-11-24T15:30:00Z", "November twenty fourth, twenty twenty six at three thirty PM"),
        ("11/24", "November twenty fourth"),
        ("11/24/2026", "November twenty fourth, twenty twenty six"),
        ("24/11/2026", "November twenty fourth, twenty twenty six"),
        ("24.11.2026", "November twenty fourth, twenty twenty six"),
        ("Nov 24th", "November twenty fourth"),
        ("Nov. 24, 2026", "November twenty fourth, twenty twenty six"),
        ("November 24", "November twenty fourth"),
        ("24 Nov 2026", "November twenty fourth, twenty twenty six"),
        ("the 24th of November", "the twenty fourth of November"),
        ("Nov 24-26", "November twenty fourth to twenty sixth"),
        ("March 3", "March third"),
        ("you may 2", "you may two"),
        ("in Sept. 2026", "in September twenty twenty six"),
        ("Mon-Fri", "Monday to Friday"),
        ("Tues. and Thurs.", "Tuesday and Thursday"),
        ("Sat 9-1", "Saturday nine to one"),
        ("the sun sat low", "the sun sat low"),
        ("Thank you, Jan.", "Thank you, Jan."),
        ("Thu Nguyen", "Thu Nguyen"),
        ("Thu, Nov 26", "Thursday, November twenty sixth"),
    ],
)
def test_dates(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("3:30 pm", "three thirty PM"),
        ("3:30pm", "three thirty PM"),
        ("15:30", "three thirty PM"),
        ("00:15", "twelve fifteen AM"),
        ("9:00", "nine o'clock"),
        ("9:05", "nine oh five"),
        ("12:00 PM", "twelve PM"),
        ("9 a.m.", "nine AM."),
        ("9 a.m. on Tuesday", "nine AM on Tuesday"),
        ("9 a.m. Tuesday", "nine AM Tuesday"),
        ("at 9 a.m. We close at 5 p.m.", "at nine AM. We close at five PM."),
        ("9-5", "nine to five"),
        ("9am-5pm", "nine AM to five PM"),
        ("8:30-18:00", "eight thirty to six PM"),
        ("nine a.m. sharp", "nine AM sharp"),
    ],
)
def test_times(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("555.123.4567", "five five five, one two three, four five six seven"),
        ("5551234567", "five five five, one two three, four five six seven"),
        ("+1 555 123 4567", "plus one, five five five, one two three, four five six seven"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("0800 123 456", "zero eight zero zero, one two three, four five six"),
        ("call 867-5309", "call eight six seven, five three zero nine"),
        ("Dial 911", "Dial nine one one"),
        ("ext. 12", "extension one two"),
        ("200-1000 steps", "two hundred to one thousand steps"),
    ],
)
def test_telephone_numbers(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken
