"""A caller's words as integers: the same however the recognizer writes them."""

import numpy as np
import pytest

from serving.turn.words import (
    BUCKETS,
    FIRST_WORD,
    MAX_DIGITS,
    MAX_WORDS,
    PIECES,
    RECENT,
    UNINTELLIGIBLE,
    UNKNOWN,
    digit_run,
    spoken_words,
    word_features,
)

pytestmark = pytest.mark.unit

VOCABULARY = {word: FIRST_WORD + number for number, word in enumerate(("i", "to", "monday", "five"))}


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Monday, at 10:30.", "monday at ten thirty"),
        ("It's 555-1234!", "it's five five five one two three four"),
        ("the 3rd of May 1972", "the third of may one nine seven two"),
        ("on the 21st, or the 30th", "on the twenty first or the thirtieth"),
        ("I’d like\u2026 um\u2026 an X-ray", "i'd like um an x ray"),
        ("at 2pm, or 05", "at two pm or zero five"),
        ("42 Café", "forty two café"),
        ("...", ""),
        ("", ""),
    ],
)
def test_written_words_are_read_as_they_are_spoken(written: str, spoken: str) -> None:
    assert spoken_words(written) == spoken.split()


UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
RANKS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"


def test_numbers_are_the_words_that_the_network_was_trained_on() -> None:
    """Guards against changes in the number-word library."""
    units, ranks, tens = UNITS.split(), ["zeroth", *RANKS.split()], TENS.split()
    for number in range(100):
        ten = [] if number < 20 else [tens[number // 10 - 2]]
        rest = number if number < 20 else number % 10
        cardinal = [*ten, units[rest]] if rest or not ten else ten
        ordinal = [*ten, ranks[rest]] if rest or not ten else [ten[0][:-1] + "ieth"]
        assert spoken_words(str(number)) == cardinal
        assert spoken_words(f"the {number}th") == ["the", *ordinal]
    for number in range(100, 10_000):
        assert spoken_words(str(number)) == [units[int(digit)] for digit in str(number)]


def test_writing_makes_no_difference_to_the_features() -> None:
    plain = word_features("my number is five five five one two three four", VOCABULARY)
    written = word_features("My number is 555-1234.", VOCABULARY)
    for name in ("words", "pieces", "counts"):
        assert np.array_equal(getattr(plain, name), getattr(written, name))


def test_the_last_words_stand_last() -> None:
    features = word_features("i want to go to monday", VOCABULARY)
    assert features.words.tolist() == [
        0,
        0,
        0,
        0,
        VOCABULARY["i"],
        UNKNOWN,
        VOCABULARY["to"],
        UNKNOWN,
        VOCABULARY["to"],
        VOCABULARY["monday"],
    ]
    assert features.pieces.shape == (RECENT, PIECES)
    assert not features.pieces[:4].any()
    assert ((features.pieces[4:] >= 1) & (features.pieces[4:] <= BUCKETS)).all()


def test_unknown_words_are_told_by_their_endings() -> None:
    one, other = (word_features(word, VOCABULARY).pieces[-1] for word in ("mirthfully", "hopefully"))
    assert one[1] == other[1]
    assert one[2] == other[2]
    assert one[3] != other[3]


def test_a_word_that_was_not_made_out_is_unknown_and_has_no_letters() -> None:
    features = word_features(f"i want five {UNINTELLIGIBLE}", VOCABULARY)
    assert features.words[-2:].tolist() == [VOCABULARY["five"], UNKNOWN]
    assert features.pieces[-2].all()
    assert not features.pieces[-1].any()
    assert features.counts.tolist() == [0, 1, 4]


@pytest.mark.parametrize(
    ("said", "run"),
    [
        ("five five five", 3),
        ("my number is five um five", 2),
        ("five five please", 0),
        ("double five one", 3),
        ("triple two", 3),
        ("um", 0),
        ("", 0),
    ],
)
def test_digits_at_the_end_are_counted_and_a_filler_does_not_end_them(said: str, run: int) -> None:
    assert digit_run(said.split()) == run


def test_counts_are_digits_at_the_end_digits_and_words() -> None:
    assert word_features("one two three is four five", VOCABULARY).counts.tolist() == [2, 5, 6]
    assert word_features("", VOCABULARY).counts.tolist() == [0, 0, 0]
    assert word_features("five " * 40, VOCABULARY).counts.tolist() == [MAX_DIGITS, MAX_DIGITS, MAX_WORDS]


def test_no_words_are_all_zeros() -> None:
    features = word_features("", VOCABULARY)
    assert not features.words.any()
    assert not features.pieces.any()
