"""Markup, addresses, abbreviations, acronyms, dosing, signs and punctuation."""

import pytest

from agent.speech.normalizer import make_speakable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("**Bold**, *italic*, __strong__, _weak_, ~~gone~~ and `code`", "Bold, italic, strong, weak, gone and code"),
        ("# Hours\nWe open", "Hours. We open"),
        ("- one\n- two", "one. two."),
        ("1. Fast\n2. Rest", "one, Fast. two, Rest."),
        ("[our site](https://a.com/b?x=1)", "our site"),
        ("![a map](map.png)", "a map"),
        ("as known [1][^2].", "as known."),
        ("| Day | Hours |\n|-----|:---:|\n| Mon | 9-5 |", "Day, Hours. Monday, nine to five."),
        ("> quoted\n> words", "quoted, words"),
        ("```python\nprint\n```", "print"),
        ("a\n\nb", "a. b"),
        ("Title\n=====\ntext", "Title. text"),
        ("<b>Hi</b> &amp; bye<br>now", "Hi and bye, now"),
        ("- [x] done", "done."),
        ("3 * 4", "three times four"),
        ("snake_case", "snake case"),
    ],
)
def test_markup(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Great! 👍🏽 See you 😀.", "Great! See you."),
        ("fine :)", "fine"),
        ("info@riverside-clinic.com", "info at riverside dash clinic dot com"),
        ("a.b_c@d.org.", "a dot b underscore c at d dot org."),
        ("https://www.riverside.com/book?x=1", "riverside dot com slash book"),
        ("Visit riverside.com.", "Visit riverside dot com."),
    ],
)
def test_pictures_and_addresses(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Dr. Chen", "Doctor Chen"),
        ("Mr. and Mrs. Smith", "Mr. and Missus Smith"),
        ("Mr. Smith, Ms. Lee", "Mister Smith, Miz Lee"),
        ("St. Mary", "Saint Mary"),
        ("12 Mill St.", "twelve Mill Street."),
        ("12 Mill St. and on", "twelve Mill Street and on"),
        ("12 Oak Dr., Salem", "twelve Oak Drive, Salem"),
        ("e.g. aspirin, i.e. this, etc.", "for example aspirin, that is this, et cetera."),
        ("your appt. vs. mine", "your appointment versus mine"),
        ("approx. 5 appts", "approximately five appointments"),
        ("No. 5", "number five"),
        ("No. I cannot.", "No. I cannot."),
        ("no 5 is left", "no five is left"),
        ("Apt. 4", "apartment four"),
        ("w/o food, w/ water", "without food, with water"),
        ("ASAP", "as soon as possible"),
        ("the U.S. and", "the U-S and"),
        ("Approx. ten", "Approximately ten"),
        ("Thank you, Max. Goodbye.", "Thank you, Max. Goodbye."),
        ("max. five", "maximum five"),
        ("Gen Smith", "Gen Smith"),
    ],
)
def test_abbreviations(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("MRI, ECG, BP, ID", "M-R-I, E-C-G, B-P, I-D"),
        ("IDs and MRIs", "I-D's and M-R-I's"),
        ("X-ray and x ray", "X-ray and x ray"),
        ("A1C and HbA1c", "A-one-C and hemoglobin A-one-C"),
        ("M.R.I. scan", "M-R-I scan"),
        ("DO NOT PANIC", "DO NOT PANIC"),
        ("OK, I am", "OK, I am"),
        ("nine AM", "nine AM"),
    ],
)
def test_acronyms(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("1 tablet b.i.d.", "one tablet twice a day."),
        ("q.d. with food", "once a day with food"),
        ("TID PRN", "three times a day as needed"),
        ("q6-8h", "every six to eight hours"),
        ("p.o. at h.s. only", "by mouth at at bedtime only"),
        ("make a bid", "make a bid"),
        ("5 U", "five U"),
        ("Rx refill", "prescription refill"),
    ],
)
def test_dosing(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("A & B", "A and B"),
        ("2+2=4", "two plus two equals four"),
        ("18+", "eighteen plus"),
        ("and/or", "or"),
        ("me@home", "me at home"),
        ("#5", "number five"),
        ("~5 and <3 or >=2", "about five and less than three or at least two"),
        ("2x daily", "two times daily"),
        ("ratio 10:1", "ratio ten to one"),
        ("Well... maybe", "Well, maybe"),
        ("Wait... Yes…", "Wait. Yes."),
        ("“Quoted” and 'so'", "Quoted and so"),
        ("free (really) now", "free, really, now"),
        ("it is free (really).", "it is free, really."),
        ("yes — no – maybe - so", "yes, no, maybe, so"),
        ("What?! No!!", "What? No!"),
        ("end.Begin", "end. Begin"),
        ("follow-up", "follow-up"),
    ],
)
def test_signs_and_punctuation(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken
