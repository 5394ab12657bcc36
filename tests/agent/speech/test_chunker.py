"""Cutting a stream of text."""

import random

import pytest

from agent.speech.chunker import Chunker, ChunkerOptions

pytestmark = pytest.mark.unit


def pieces(text: str, options: ChunkerOptions | None = None) -> list[str]:
    chunker = Chunker(options)
    return chunker.push(text) + chunker.flush()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Of course. What is your name?", ["Of course.", "What is your name?"]),
        ("Okay, I can do that. Which day?", ["Okay, I can do that.", "Which day?"]),
        ("So that is Anna Smith, Doctor Chen.", ["So that is Anna Smith,", "Doctor Chen."]),
        ("Doctor Chen has ten thirty or two.", ["Doctor Chen has ten thirty", "or two."]),
        ("We are open: come in; please wait", ["We are open:", "come in; please wait"]),
        ("That is fine — come in now", ["That is fine —", "come in now"]),
        ("We will wait because it rains", ["We will wait", "because it rains"]),
        ("Hello", ["Hello"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_the_first_clause_leaves_early(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Doctor Dr. Chen is in.",
        "That costs about 3,000 dollars now.",
        "That costs about $4.50 each now",
        "We open at 9 a.m. on Monday.",
        "Take some, e.g. aspirin.",
        "It is at No. 5 Mill St. near us.",
        "Please see J. Smith now.",
        "It is between nine and five today.",
        "It is one hundred and five today.",
        "We are closed (on Monday, as ever) now.",
    ],
)
def test_no_item_is_cut(text: str) -> None:
    inside = ("Dr.", "3,000", "$4.50", "a.m.", "e.g.", "No.", "St.", "J.", "between nine", "hundred", "(on Monday,")
    assert not any(piece.endswith(inside) for piece in pieces(text)[:-1])


def test_a_piece_leaves_as_soon_as_its_last_word_is_complete() -> None:
    chunker = Chunker()
    assert chunker.push("Of course, I will check") == []
    assert chunker.push(" that,") == []
    assert chunker.push(" and") == ["Of course, I will check that,"]


def test_a_number_that_may_still_grow_is_waited_for() -> None:
    chunker = Chunker()
    assert chunker.push("We can see you at 2") == []
    assert chunker.push(":30") == []
    assert chunker.push(",") == []
    assert chunker.push(" or later") == ["We can see you at 2:30,"]


def test_only_the_next_word_tells_whether_an_abbreviation_ended_the_sentence() -> None:
    chunker = Chunker()
    assert chunker.push("We open at 9 a.m. ") == []
    assert chunker.push("We ") == ["We open at 9 a.m."]
    assert chunker.push("close at 5 p.m. on Monday. ") == ["We close at 5 p.m. on Monday."]


def test_later_pieces_are_whole_sentences_or_long_clauses() -> None:
    text = (
        "Thank you very much. Okay. Sure. I will look that up for you now. The doctor, who is here on most days and some "
        "evenings as well as weekends, can see you on Friday, or on Monday."
    )
    assert pieces(text) == [
        "Thank you very much.",
        "Okay. Sure. I will look that up for you now.",
        "The doctor, who is here on most days and some evenings as well as weekends,",
        "can see you on Friday, or on Monday.",
    ]


def test_a_line_ends_a_piece() -> None:
    assert pieces("Our doctors are these\n- Doctor Chen, cardiology\n- Doctor Patel") == [
        "Our doctors are these",
        "- Doctor Chen, cardiology",
        "- Doctor Patel",
    ]


def test_no_piece_is_longer_than_the_limit() -> None:
    options = ChunkerOptions(max_chars=60)
    text = "we go on and on without a stop or a pause so that nobody knows where this will end " * 4
    cut = pieces(text, options)
    assert " ".join(cut) == text.strip()
    assert all(len(piece) <= 60 for piece in cut)
    assert all(len(piece) <= 120 for piece in pieces("x" * 1000, options))


def test_a_long_piece_is_not_cut_beside_a_number() -> None:
    text = "there are so very many people here today that we must see all of 1 200 000 000 of them before the evening comes"
    cut = pieces(text, ChunkerOptions(max_chars=70))
    assert any("of 1 200 000 000 of" in piece for piece in cut)


def test_a_flushed_chunker_starts_over() -> None:
    chunker = Chunker()
    assert chunker.push("So that is Anna,") + chunker.flush() == ["So that is Anna,"]
    assert chunker.flush() == []
    assert chunker.push("Doctor Chen has ten, ") == ["Doctor Chen has ten,"]


WORDS = [
    "the",
    "a,",
    "Dr.",
    "Chen",
    "3,000",
    "$4.50",
    "at",
    "9",
    "a.m.",
    "We",
    "and",
    "or",
    "but",
    "so",
    "ten.",
    "(yes",
    "no)",
    "—",
    "\n",
    "-",
    "e.g.",
    "Nov.",
    "24,",
    "2026",
    "—",
    "right?",
    "No.",
    "5",
    "okay:",
    "hm",
]


def test_how_the_text_was_split_into_tokens_makes_no_difference() -> None:
    rng = random.Random(3)
    for _ in range(300):
        text = " ".join(rng.choices(WORDS, k=rng.randint(0, 60)))
        whole, chunker, streamed, at = pieces(text), Chunker(), [], 0
        while at < len(text):
            step = rng.randint(1, 9)
            streamed += chunker.push(text[at : at + step])
            at += step
        assert streamed + chunker.flush() == whole
        assert " ".join(whole).split() == text.split()
