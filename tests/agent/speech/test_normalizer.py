"""The whole normalizer: its order, what it leaves alone, what it never does."""

import random
import string
import unicodedata

import pytest

from agent.speech.normalizer import STEPS, make_speakable

pytestmark = pytest.mark.unit

PLAIN = [
    "Doctor Chen has ten thirty or two on Tuesday.",
    "So that is Anna Smith, Doctor Chen, Tuesday at ten thirty. Is that right?",
    "We open weekdays from eight thirty to six, and Saturday from nine to one.",
    "We are at twelve Mill Lane, next to the library.",
    "I am sorry to hear that. I cannot give medical advice. Would you like an appointment?",
    "Your x ray results are not ready. We expect them on Friday.",
    "Let me confirm. Maria Walker, check up, next Tuesday at quarter to four. Is that right?",
    "You are booked on the third of March at ten a m. Is there anything else?",
    "No. It doesn't matter; may I go on? Yes, of course!",
    "It's nine o'clock, the patient's follow-up is at half past two.",
    "José and Zoë saw Doctor Núñez.",
]

SENTENCES = {
    "Sure! Dr. Chen is free on Nov. 24, 2026 at 3:30 p.m. or 4:00 p.m. Which would you prefer?": (
        "Sure! Doctor Chen is free on November twenty fourth, twenty twenty six at three thirty PM or four PM. "
        "Which would you prefer?"
    ),
    "Please call Dr. Patel at 555-867-5309 between 9:00 AM and 4:30 PM on 12/05/2026.": (
        "Please call Doctor Patel at five five five, eight six seven, five three zero nine between nine AM and "
        "four thirty PM on December fifth, twenty twenty six."
    ),
    "Your copay is **$4.50**, and the visit costs about $1,200 without insurance.": (
        "Your copay is four dollars and fifty cents, and the visit costs about one thousand two hundred dollars "
        "without insurance."
    ),
    "Take 1/2 tablet b.i.d. with food (e.g. 500mg), max. 2x/day.": (
        "Take one half tablet twice a day with food, for example five hundred milligrams, maximum two times per day."
    ),
    "We have 2 doctors:\n\n* **Dr. Patel** (cardiology)\n* **Dr. Chen** 😀\n\nWhich one?": (
        "We have two doctors: Doctor Patel, cardiology. Doctor Chen. Which one?"
    ),
    "The clinic is at 12 Mill St. and opens Mon-Fri 8:30-18:00, Sat 9-1.": (
        "The clinic is at twelve Mill Street and opens Monday to Friday eight thirty to six PM, Saturday nine to one."
    ),
}


def test_the_order_of_the_steps() -> None:
    assert [step.__name__ for step in STEPS] == [
        "plain_characters",
        "strip_markup",
        "read_addresses",
        "drop_emoji",
        "read_phone_numbers",
        "read_dates",
        "read_times",
        "read_money",
        "write_out_dosing",
        "read_units",
        "read_fractions",
        "read_amount_signs",
        "expand_abbreviations",
        "spell_acronyms",
        "read_numbers",
        "read_signs",
        "settle_punctuation",
    ]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("info@a1.com", "info at a one dot com"),  # addresses before dots and numbers
        ("on 1/4", "on January fourth"),  # dates before fractions
        ("555-123-4567", "five five five, one two three, four five six seven"),  # telephones before ranges
        ("9-5:30", "nine to five thirty"),  # times before ranges
        ("£3m", "three million pounds"),  # money before units
        ("q4h", "every four hours"),  # dosing before numbers
        ("No. 5", "number five"),  # abbreviations before numbers
        ("A1C", "A-one-C"),  # acronyms before numbers
        ("2+2", "two plus two"),  # signs around numbers while they are digits
        ("his/her", "his or her"),  # signs between words after numbers
    ],
)
def test_what_looks_like_something_larger_is_read_before_its_parts(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize("text", PLAIN)
def test_plain_words_pass_unchanged(text: str) -> None:
    assert make_speakable(text) == text


@pytest.mark.parametrize(("text", "spoken"), SENTENCES.items())
def test_whole_sentences(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken
    assert make_speakable(spoken) == spoken


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "😀", "***", "---", "|---|---|", "()", "...", "\x00\u200b"])
def test_nothing_to_say_is_empty(text: str) -> None:
    assert make_speakable(text) == ""


ODD = string.printable + "½¼²³°€£¥¢–—…“”‘’•😀👍🏽é中文٣Ⅻ①\u200d\u200b\ufeff™№≤→×÷"
PARTS = [
    "Dr.",
    "St.",
    "9",
    "5",
    "3:30",
    "pm",
    "a.m.",
    "$4.50",
    "-",
    "–",
    "1/2",
    "11/24",
    "Nov",
    "24th",
    "2026",
    ",",
    "mg",
    "%",
    "°F",
    "(",
    "555",
    "123-4567",
    "e.g.",
    "MRI",
    "No.",
    "**",
    "#",
    "`",
    "[x](y)",
    "@",
    "/",
    "q4h",
    "hello",
    "Tuesday",
    "x",
    "1,000",
    "...",
    "k",
    "I'm",
    '"',
    "\n",
    "- ",
    "1. ",
    "+1",
    "'90s",
    ".5",
    "www.a.com",
    "a@b.org",
    "USD",
    "0800 123 456",
    "&amp;",
    "<b>",
]


def test_any_text_becomes_words_and_pauses_and_nothing_raises() -> None:
    rng = random.Random(11)
    for number in range(3000):
        if number % 2:
            text = "".join(rng.choices(ODD, k=rng.randint(0, 60)))
        else:
            text = "".join(rng.choice(PARTS) + rng.choice(["", " ", " "]) for _ in range(rng.randint(0, 14)))
        spoken = make_speakable(text)
        wrong = [c for c in spoken if c not in " .,;:!?'-" and unicodedata.category(c)[0] not in "LM"]
        assert not wrong, (text, spoken)
        assert spoken == spoken.strip()
