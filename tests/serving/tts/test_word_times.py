"""Assigning phonemes to words, with what espeak really outputs for awkward texts."""

import numpy as np
import pytest

from serving.tts.word_times import SILENT, owners, timed_words

pytestmark = pytest.mark.unit


def spoken(words: str, spellings: str, phonemes: str) -> dict[str, str]:
    """Each word with the phonemes it was given; `spellings` are separated by bars."""
    parts = [tuple(part) for part in spellings.split("|")]
    owner = owners(parts, phonemes)
    texts = words.split()
    assert len(texts) == len(parts)
    kept = [word for word in owner if word != SILENT]
    assert kept == sorted(kept)
    return {
        text: "".join(symbol for symbol, word in zip(phonemes, owner, strict=True) if word == at)
        for at, text in enumerate(texts)
    }


def test_words_that_espeak_joins_are_parted() -> None:
    given = spoken("end of the road", "ˈɛnd|ʌv|ðə|ɹˈoʊd", "ˈɛnd ʌvðə ɹˈoʊd.")
    assert given == {"end": "ˈɛnd", "of": "ʌv", "the": "ðə", "road": "ɹˈoʊd"}


def test_words_whose_sound_changes_in_company() -> None:
    given = spoken("I am going to be", "ˈaɪ|ˈæm|ɡˈoʊɪŋ|tˈuː|bˈiː", "aɪɐm ɡˌoʊɪŋ təbiʲ.")
    assert given == {"I": "aɪ", "am": "ɐm", "going": "ɡˌoʊɪŋ", "to": "tə", "be": "biʲ"}


def test_a_number_owns_all_its_words() -> None:
    given = spoken("at 10:30 sharp", "æt|tˈɛn θˈɜːɾi|ʃˈɑːɹp", "æt tˈɛn θˈɜːɾi ʃˈɑːɹp.")
    assert given == {"at": "æt", "10:30": "tˈɛnθˈɜːɾi", "sharp": "ʃˈɑːɹp"}


def test_a_sign_without_sound_owns_nothing() -> None:
    given = spoken("yes — no", "jˈɛs||nˈoʊ", "jˈɛs nˈoʊ.")
    assert given == {"yes": "jˈɛs", "—": "", "no": "nˈoʊ"}


def test_repeated_words_stay_in_order() -> None:
    given = owners([tuple("nˈoʊ")] * 3, "nˈoʊ, nˈoʊ, nˈoʊ.")
    assert given == [0, 0, 0, 0, SILENT, SILENT, 1, 1, 1, 1, SILENT, SILENT, 2, 2, 2, 2, SILENT]


def test_text_without_any_sound() -> None:
    assert owners([(), ()], "") == []
    assert owners([], "a") == [SILENT]


def test_times_run_from_first_to_last_phoneme_and_pauses_belong_to_nobody() -> None:
    words = ["yes,", "—", "no"]
    spellings = [tuple("jɛs"), (), tuple("noʊ")]
    owner = owners(spellings, "jɛs, noʊ")
    ends_s = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.6, 0.7, 0.8, 0.9])
    times = [(word.text, word.start_s, word.end_s) for word in timed_words(words, spellings, owner, ends_s)]
    assert times == [("yes,", 0.1, 0.4), ("—", 0.4, 0.4), ("no", 0.6, 0.9)]


def test_a_sign_at_the_start_stands_where_speech_begins() -> None:
    spellings = [(), tuple("noʊ")]
    times = timed_words(["—", "no"], spellings, owners(spellings, "noʊ"), np.array([0.1, 0.2, 0.3, 0.4]))
    assert [(word.start_s, word.end_s) for word in times] == [(0.1, 0.1), (0.1, 0.4)]


def test_a_word_that_was_swallowed_shares_its_neighbours_time() -> None:
    words = ["rock", "and", "roll"]
    spellings = [tuple("ɹɑk"), tuple("ænd"), tuple("ɹoʊl")]
    owner = [0, 0, 0, 2, 2, 2, 2]
    times = timed_words(words, spellings, owner, np.linspace(0.0, 0.7, 8))
    assert [word.text for word in times] == words
    assert [round(word.start_s, 2) for word in times] == [0.0, 0.15, 0.3]
    assert times[1].end_s > times[1].start_s


def test_every_word_has_an_ordered_time_whatever_is_heard() -> None:
    rng = np.random.default_rng(5)
    alphabet = list("ptkæɪoʊˈː ,.")
    for _ in range(200):
        spellings = [tuple(rng.choice(alphabet, rng.integers(0, 6))) for _ in range(rng.integers(1, 8))]
        phonemes = list(rng.choice(alphabet, rng.integers(0, 30)))
        ends_s = np.concatenate([[0.0], np.cumsum(rng.uniform(0, 0.2, len(phonemes)))])
        words = [f"w{at}" for at in range(len(spellings))]
        times = timed_words(words, spellings, owners(spellings, phonemes), ends_s)
        assert [word.text for word in times] == words
        edges = [edge for word in times for edge in (word.start_s, word.end_s)]
        assert edges == sorted(edges)
        assert edges[0] >= 0.0
        assert edges[-1] <= ends_s[-1] + 1e-9
