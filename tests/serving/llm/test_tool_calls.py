import itertools
import json
from collections.abc import Iterator, Sequence

import pytest

from serving.chat import TextDelta, ToolCall
from serving.errors import ToolCallMalformed
from serving.llm.tool_calls import PYTHON_TAG, ToolCallParser

pytestmark = pytest.mark.unit

Outcome = tuple[str, list[tuple[str, str]], int, str]
"""What was spoken, the calls, how many were dropped, why it failed."""

A = ("a", '{"x": 1}')
B = ("b", "{}")
NESTED = ("note", '{"text": "she said \\"} {\\" \\\\", "list": [{"k": [1, 2]}], "name": "é 漢"}')

EXAMPLES: list[tuple[str, Outcome]] = [
    ("Good morning.", ("Good morning.", [], 0, "")),
    ("", ("", [], 0, "")),
    ("  \n Hello there. ", ("Hello there. ", [], 0, "")),
    ("Costs < 5 <| 6 {7} and {x", ("Costs < 5 <| 6 {7} and {x", [], 0, "")),
    ('{"name": "a", "parameters": {"x": 1}}', ("", [A], 0, "")),
    ('{"name": "a", "arguments": {"x": 1}}', ("", [A], 0, "")),
    ('{"type": "function", "name": "a", "parameters": {"x": 1}}', ("", [A], 0, "")),
    ('{"type": "function", "function": {"name": "a", "arguments": "{\\"x\\": 1}"}}', ("", [A], 0, "")),
    ('{"function": "a", "parameters": {"x": 1}}', ("", [A], 0, "")),
    ('{"name": "b"}', ("", [B], 0, "")),
    ('{"name": "b", "parameters": null}', ("", [B], 0, "")),
    ('{"name": "b", "parameters": ""}', ("", [B], 0, "")),
    ('\n {\n  "name" : "a", "parameters" : { "x" : 1 } } \n', ("", [A], 0, "")),
    (PYTHON_TAG + '{"name": "a", "parameters": {"x": 1}}', ("", [A], 0, "")),
    (" " + PYTHON_TAG + ' \n{"name": "a", "parameters": {"x": 1}}', ("", [A], 0, "")),
    ("One moment. " + PYTHON_TAG + '{"name": "b"}', ("One moment. ", [B], 0, "")),
    ('One moment.\n{"name": "a", "parameters": {"x": 1}}', ("One moment.\n", [A], 0, "")),
    ('One moment. { "name": "b"}', ("One moment. ", [B], 0, "")),
    ('{"name": "a", "parameters": {"x": 1}}; {"name": "b"}', ("", [A, B], 0, "")),
    ('{"name": "a", "parameters": {"x": 1}}{"name": "b"}\n{"name": "b"}', ("", [A, B, B], 0, "")),
    (f'{PYTHON_TAG}{{"name": "b"}};{PYTHON_TAG}{{"name": "b"}}', ("", [B, B], 0, "")),
    ('{"name": "note", "parameters": ' + NESTED[1] + "}", ("", [NESTED], 0, "")),
    ('{"name": "b"} You are booked.', ("", [B], 0, "")),
    ('{"name": "b"}; You are {"name": "b"}', ("", [B], 0, "")),
    ('{"name": "b"}; {"name": "b", "par', ("", [B], 1, "")),
    ("{'name': 'b'}; {\"name\": \"b\"}", ("", [B], 1, "")),
    ('{"name": "b"}{"x": 1}', ("", [B], 1, "")),
    ('{"name": "a", "parameters": {"x"', ("", [], 1, "truncated")),
    ('{"name": "a", "parameters": {"x": 1}', ("", [], 1, "truncated")),
    ("{", ("", [], 1, "truncated")),
    ('Well. {"na', ("Well. ", [], 1, "truncated")),
    ("Well. <|pyth", ("Well. ", [], 1, "truncated")),
    (PYTHON_TAG, ("", [], 1, "truncated")),
    (PYTHON_TAG + 'brave_search.call(query="x")', ("", [], 1, "not JSON")),
    ("{name: b}", ("", [], 1, "not JSON")),
    ('{"name": "a", "parameters": "x"}', ("", [], 1, "not JSON")),
    ('{"status": "ok"}', ("", [], 1, "no name")),
    ('{"name": 5, "parameters": {}}', ("", [], 1, "no name")),
    ('{"name": "a", "parameters": [1]}', ("", [], 1, "arguments are not an object")),
    ('{"name": "a", "parameters": {"x": NaN}}', ("", [], 1, "not JSON")),
]


def run(pieces: Sequence[str]) -> Outcome:
    ids = map(str, itertools.count())
    parser = ToolCallParser(lambda: next(ids))
    events: list[TextDelta | ToolCall] = []
    reason = ""
    for piece in pieces:
        events += parser.push(piece)
    try:
        events += parser.finish()
    except ToolCallMalformed as error:
        reason = error.reason
    spoken = "".join(event.text for event in events if isinstance(event, TextDelta))
    calls = [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)]
    assert [event.call_id for event in events if isinstance(event, ToolCall)] == [str(n) for n in range(len(calls))]
    return spoken, calls, parser.dropped, reason


def splits(text: str) -> Iterator[list[str]]:
    """The text in one piece, in two at every place, in three around every place, and character by character."""
    yield [text]
    yield list(text)
    for cut in range(1, len(text)):
        yield [text[:cut], text[cut:]]
        yield [text[: cut - 1], text[cut - 1 : cut + 1], text[cut + 1 :]]


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_the_same_outcome_wherever_the_reply_is_split(text: str, expected: Outcome) -> None:
    for pieces in splits(text):
        assert run(pieces) == expected, pieces


@pytest.mark.parametrize("opening", ["{", ' \n{"name"', PYTHON_TAG, "<|py"])
def test_nothing_is_given_out_while_it_may_become_a_call(opening: str) -> None:
    parser = ToolCallParser()
    assert [event for character in opening for event in parser.push(character)] == []


def test_speech_is_given_out_at_once() -> None:
    parser = ToolCallParser()
    assert parser.push("Good") == [TextDelta("Good")]
    assert parser.push(" morning. <") == [TextDelta(" morning. ")]
    assert parser.push("b") == [TextDelta("<b")]
    assert not parser.done


def test_a_call_is_given_out_at_its_last_brace() -> None:
    parser = ToolCallParser()
    assert parser.push('{"name": "b", "parameters": {}') == []
    (call,) = parser.push("}")
    assert isinstance(call, ToolCall)
    assert (call.name, json.loads(call.arguments)) == ("b", {})
    assert not parser.done


def test_generating_can_stop_once_the_model_talks_behind_a_call() -> None:
    parser = ToolCallParser()
    parser.push('{"name": "b"} ')
    assert not parser.done
    assert parser.push("You") == []
    assert parser.done


def test_every_call_has_its_own_id() -> None:
    parser = ToolCallParser()
    first, second = parser.push('{"name": "b"};{"name": "b"}')
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.call_id != second.call_id


def test_the_error_holds_no_words_of_the_reply() -> None:
    parser = ToolCallParser()
    parser.push('{"name": "book", "parameters": {"patient": "anna quimby')
    with pytest.raises(ToolCallMalformed) as caught:
        parser.finish()
    assert "anna" not in str(caught.value)
    assert "max_tokens" in str(caught.value)


def test_a_deeply_nested_call_is_dropped_not_fatal() -> None:
    assert run(['{"name": "a", "parameters": ' + '{"k": ' * 5000 + "1" + "}" * 5001])[3] in ("not JSON", "")
