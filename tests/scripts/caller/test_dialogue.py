"""A dialogue's rules: which line answers which reply."""

from pathlib import Path

import pytest

from scripts.caller.dialogue import DIALOGUES, Dialogue, Script, find_dialogue, load_dialogue
from scripts.caller.errors import CallerError, DialogueInvalid
from scripts.caller.voice import load_voice, voices

pytestmark = pytest.mark.unit


def script(*rules: dict[str, object], **fields: object) -> Script:
    return Script(Dialogue.model_validate({"rules": list(rules)} | fields))


def said(rule: object) -> str | None:
    return getattr(rule, "say", None)


def test_the_first_rule_that_matches_holds_whatever_the_case() -> None:
    talk = script({"when": "full name", "say": "anna smith"}, {"when": "name", "say": "smith"})
    assert said(talk.answer("Can I have your FULL NAME?")) == "anna smith"
    assert said(talk.answer("What name is it?")) == "smith"


def test_a_used_up_rule_gives_way_to_the_next() -> None:
    talk = script({"when": ".", "say": "one", "times": 1}, {"when": ".", "say": "two", "times": 1})
    assert [said(talk.answer("well?")) for _ in range(2)] == ["one", "two"]


def test_a_lost_caller_asks_twice_and_gives_up() -> None:
    talk = script({"when": "name", "say": "anna smith"})
    assert [said(talk.answer("mumble")) for _ in range(3)] == ["can you repeat that"] * 2 + [None]


def test_an_answer_that_is_understood_restores_patience() -> None:
    talk = script({"when": "name", "say": "anna smith"})
    replies = ["mumble", "mumble", "your name?", "mumble", "mumble"]
    assert None not in [said(talk.answer(reply)) for reply in replies]


def test_without_a_line_for_it_the_caller_gives_up_at_once() -> None:
    assert script({"when": "name", "say": "x"}, otherwise=None).answer("mumble") is None


def test_a_barge_in_waits_for_its_words_and_its_time_and_comes_once() -> None:
    talk = script({"when": "open", "barge_in_after_s": 1.0, "say": "wait", "times": 1}, {"when": ".", "say": "thanks"})
    assert talk.interruption("We are", 2.0) is None
    assert talk.interruption("We are open", 0.9) is None
    assert said(talk.interruption("We are open", 1.0)) == "wait"
    assert talk.interruption("We are open", 1.2) is None
    assert said(talk.answer("We are open.")) == "thanks"


def test_a_barge_in_does_not_answer_a_reply_that_was_heard_to_its_end() -> None:
    talk = script({"when": "open", "barge_in_after_s": 9.0, "say": "wait"}, {"when": ".", "say": "thanks"})
    assert said(talk.answer("We are open.")) == "thanks"


def test_a_murmur_leaves_its_rule_for_the_end_of_the_reply() -> None:
    talk = script({"when": "open", "backchannel": {"after_s": 0.5}, "say": "thanks", "times": 1})
    assert talk.backchannel("We are open", 0.4) is None
    murmur = talk.backchannel("We are open", 0.5)
    assert murmur is not None
    assert murmur.say == "mm hmm"
    assert said(talk.answer("We are open all day.")) == "thanks"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("rules: [{when: '(', say: x}]", "not a regular expression"),
        ("rules: [{when: x}]", "needs 'say' or 'hang_up'"),
        ("rules: [{when: x, say: y, volume: 3}]", "volume"),
        ("opening: hello", "rules"),
        ("- a list", ""),
        ("rules: [", ""),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(content)
    with pytest.raises(DialogueInvalid, match=r"odd\.yaml") as refused:
        load_dialogue(path)
    assert complaint in str(refused.value)


def test_an_unknown_dialogue_is_refused_with_the_known_names() -> None:
    with pytest.raises(CallerError, match=r"one of .*book"):
        find_dialogue("no such")


@pytest.mark.parametrize("name", [path.stem for path in sorted(DIALOGUES.glob("*.yaml"))])
def test_every_shipped_dialogue_can_be_spoken_by_the_default_voice(name: str) -> None:
    dialogue, voice = find_dialogue(name), load_voice("rms")
    assert dialogue.goal
    assert [text for text in dialogue.lines() if text not in voice.files] == []


@pytest.mark.parametrize("name", voices())
def test_every_voice_can_book(name: str) -> None:
    voice = load_voice(name)
    lines = [voice.line(text) for text in find_dialogue("book").lines()]
    assert all(0.1 < len(line.samples) / 16_000 < 6 for line in lines)
