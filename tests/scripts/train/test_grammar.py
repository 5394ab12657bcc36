"""The template grammar, and that a seed goes on to give the sentences that the shipped models learned from."""

import hashlib
import random

import pytest

from scripts.train.sentences.callers import Callers
from scripts.train.sentences.grammar import Grammar, parse

pytestmark = pytest.mark.unit

FIRST_SENTENCES = (
    "okay when do you open on thursday",
    "actually is doctor rossi working this monday",
    "okay your temperature is normal",
)


def grammar(seed: int = 0) -> Grammar:
    return Grammar(
        random.Random(seed),
        words={"day": ["monday", "tuesday"]},
        rules={"when": "{on <day>|today}"},
        functions={"digits": lambda count: "7" * int(count)},
    )


def drawn(template: str) -> set[str]:
    return {grammar(seed).expand(template) for seed in range(40)}


def test_plain_text_stays() -> None:
    assert drawn("good morning") == {"good morning"}


def test_alternatives_may_be_empty_and_nested() -> None:
    assert drawn("yes{| please|, {thanks|thank you}}") == {"yes", "yes please", "yes, thanks", "yes, thank you"}


def test_names_are_words_rules_and_functions() -> None:
    assert drawn("<when> <digits 3>") == {"on monday 777", "on tuesday 777", "today 777"}


def test_every_alternative_is_expanded_before_one_is_drawn() -> None:
    rng = random.Random(1)
    one, two = rng.choice(["monday", "tuesday"]), rng.choice(["monday", "tuesday"])
    assert grammar(1).expand("{<day> one|<day> two}") == rng.choice([f"{one} one", f"{two} two"])


@pytest.mark.parametrize("template", ["{a|b", "a}b", "a|b", "{a{b}"])
def test_unbalanced_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"is missing in a template|is misplaced"):
        parse(template)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match="night"):
        grammar().expand("<night>")


def test_callers_of_a_seed_say_the_same_for_good() -> None:
    callers = Callers(random.Random(5))
    sentences = [callers.sentence() for _ in range(2000)]
    digest = hashlib.sha256("\n".join(sentences).encode()).hexdigest()
    assert sentences[:3] == list(FIRST_SENTENCES)
    assert digest == "96e826fa1b45869ba49e330ad1f4f47d3402398b7972e6eadc53c93bc2377884"


def test_callers_speak_in_lower_case_words() -> None:
    callers = Callers(random.Random(6))
    for _ in range(2000):
        sentence = callers.sentence()
        assert sentence
        assert set(sentence) <= set("abcdefghijklmnopqrstuvwxyz' ")
        assert "  " not in sentence
