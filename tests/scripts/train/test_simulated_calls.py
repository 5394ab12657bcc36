"""The calls that the demo's language model was trained on, and what was shipped with it."""

import hashlib
import json
import random

import pytest

from scripts.paths import DEMO
from scripts.train.language_model import prompts
from scripts.train.language_model.closed_loop import LiveCall, play_with_desk
from scripts.train.language_model.domain import DEFAULT_FACTS, SPLIT_LISTS, Lex, random_facts
from scripts.train.language_model.recognition_errors import asr_noise
from scripts.train.language_model.replies import classify, voice_ok
from scripts.train.language_model.simulate import dialogue

pytestmark = pytest.mark.unit

LANGUAGE_MODEL = DEMO / "language_model"


def test_a_seed_names_the_same_calls_for_good() -> None:
    """The shipped model was trained on these draws; a change of their order would be a change of the corpus."""
    digest = hashlib.sha256()
    for split in ("train", "test"):
        lex = Lex(random.Random(7), split)
        for _ in range(100):
            for message in dialogue(lex, random_facts(lex)).messages:
                digest.update(f"{message.role} {message.text}\n".encode())
    assert digest.hexdigest() == "eac4d63b40b952d321d16b4989232e8ad282e1b52fdd72f0d74c9dedfbf9197d"


def test_what_was_shipped_is_what_the_training_writes() -> None:
    for runtime in ("ct2", "hf"):
        config = json.loads((LANGUAGE_MODEL / runtime / "tokenizer_config.json").read_text())
        assert config["chat_template"] == prompts.CHAT_TEMPLATE
    shipped = LANGUAGE_MODEL / "prompts"
    assert json.loads((shipped / "tools.json").read_text()) == prompts.TOOLS
    prompt = prompts.front_desk_prompt(DEFAULT_FACTS)
    assert (shipped / "front_desk.md").read_text() == prompt + "\n"
    assert (shipped / "front_desk_with_tools.txt").read_text() == prompt + prompts.tools_text() + "\n"


def test_every_reply_of_the_desk_can_be_spoken_and_recognised() -> None:
    lex = Lex(random.Random(1))
    for _ in range(200):
        for message in dialogue(lex, random_facts(lex)).messages:
            if message.role == "assistant" and not message.text.startswith("{"):
                assert voice_ok(message.text), message.text
                assert message.label == classify(message.text)


def test_the_rule_based_desk_reaches_the_callers_goals() -> None:
    lex = Lex(random.Random(77), "test")
    calls = [LiveCall(lex) for _ in range(100)]
    for call in calls:
        play_with_desk(call, lex)
    assert sum(call.succeeded() for call in calls) >= 97


def test_the_evaluation_uses_names_that_training_never_saw() -> None:
    rng = random.Random(0)
    train, test = Lex(rng, "train"), Lex(rng, "test")
    for kind in SPLIT_LISTS:
        assert set(getattr(test, kind)).isdisjoint(getattr(train, kind))


def test_recognition_errors_spare_what_carries_the_meaning() -> None:
    rng = random.Random(0)
    said = "i would like to see doctor [larsen] on [next tuesday] please"
    heard = [asr_noise(said, rng, 0.5) for _ in range(50)]
    assert all("larsen" in text and "next tuesday" in text and "[" not in text for text in heard)
    assert len(set(heard)) > 40
    assert asr_noise("yes [please]", rng, 1.0) == "yes please"
