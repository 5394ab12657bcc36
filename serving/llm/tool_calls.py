"""Separates speech from tool calls while a reply is being generated. Pure: pieces of text in, events out.

Llama 3 writes a call as a JSON object, `{"name": ..., "parameters": {...}}`, alone in a message, sometimes after
`<|python_tag|>`, sometimes several in a row or separated by semicolons, sometimes after a few spoken words.
Not one character of it may be spoken, so text is held back for as long as it could still become a call.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Literal, NoReturn
from uuid import uuid4

from serving.chat import TextDelta, ToolCall
from serving.errors import ToolCallMalformed

PYTHON_TAG = "<|python_tag|>"

Reason = Literal["truncated", "not JSON", "no name", "arguments are not an object"]

_CALL_IN_SPEECH = re.compile(r'\{\s*"(?:name|type|function)"')
"""What opens a call after spoken words. At the start of a message any brace does."""
_MAYBE_CALL_IN_SPEECH = re.compile(r'\{\s*(?:"\w*)?\Z')
_SEPARATORS = " \t\r\n;,"


def new_call_id() -> str:
    """An identifier that no other call has."""
    return f"call_{uuid4().hex[:24]}"


class ToolCallParser:
    """The parser of one reply.

    Whatever follows a call is another call, or must not be spoken: the model cannot know the result yet. A malformed call is
    dropped if another call of the reply is well-formed, because the model speaks again after that one's result. If there is
    no other, `finish` raises ToolCallMalformed: the caller is owed an apology rather than silence. Calls of unknown tools are
    passed on; whoever runs tools deals with them.
    """

    def __init__(self, new_id: Callable[[], str] = new_call_id) -> None:
        self._new_id = new_id
        self._held = ""
        self._spoken = False
        self._in_call = False
        self._scanner = _ObjectScanner()
        self._calls = 0
        self._malformed: list[Reason] = []
        self._done = False

    @property
    def done(self) -> bool:
        """Whether nothing that could still come matters, so that generating can stop."""
        return self._done

    @property
    def dropped(self) -> int:
        """How many calls were malformed."""
        return len(self._malformed)

    def push(self, text: str) -> list[TextDelta | ToolCall]:
        """Feed the next piece of the reply."""
        self._held += text
        return self._advance()

    def finish(self) -> list[TextDelta | ToolCall]:
        """End the reply; returns what was held back and turned out to be speech.

        Raises ToolCallMalformed if the reply has calls and all are malformed.
        """
        held, self._held = self._held, ""
        if self._in_call:
            nothing_read = not self._calls and not self._malformed
            if not self._done and (held.strip(_SEPARATORS) or nothing_read):
                self._malformed.append("truncated")
        elif held.startswith(("{", "<|")):
            self._malformed.append("truncated")
            held = ""
        self._done = True
        if self._malformed and not self._calls:
            raise ToolCallMalformed(self._malformed[0])
        return [TextDelta(held)] if held and not self._in_call else []

    def _advance(self) -> list[TextDelta | ToolCall]:
        events: list[TextDelta | ToolCall] = []
        if not self._in_call:
            events += self._speak()
        while self._in_call and not self._done and (call := self._next_call()) is not None:
            events += call
        if self._done:
            self._held = ""
        return events

    def _speak(self) -> list[TextDelta | ToolCall]:
        """Emit what is certainly speech; enter a call where one opens."""
        if not self._spoken:
            self._held = self._held.lstrip()
        opening = self._opening()
        if opening is not None:
            text, self._held = self._held[: opening[0]], self._held[opening[1] :]
            self._in_call = True
        else:
            keep = self._undecided()
            text, self._held = self._held[:keep], self._held[keep:]
        self._spoken = self._spoken or bool(text)
        return [TextDelta(text)] if text else []

    def _opening(self) -> tuple[int, int] | None:
        """Where speech ends and where the call begins, if one does."""
        places = []
        if (tag := self._held.find(PYTHON_TAG)) >= 0:
            places.append((tag, tag + len(PYTHON_TAG)))
        if not self._spoken and self._held.startswith("{"):
            places.append((0, 0))
        elif found := _CALL_IN_SPEECH.search(self._held):
            places.append((found.start(), found.start()))
        return min(places, default=None)

    def _undecided(self) -> int:
        """Where the held text may still become the start of a call."""
        for length in range(min(len(PYTHON_TAG) - 1, len(self._held)), 0, -1):
            if self._held.endswith(PYTHON_TAG[:length]):
                return len(self._held) - length
        found = _MAYBE_CALL_IN_SPEECH.search(self._held)
        return found.start() if found else len(self._held)

    def _next_call(self) -> list[TextDelta | ToolCall] | None:
        """The call at the start of the held text, as a list, empty if it was dropped; None if it is not complete."""
        if self._scanner.at_start:
            self._held = self._held.lstrip(_SEPARATORS)
            if self._held.startswith(PYTHON_TAG):
                self._held = self._held[len(PYTHON_TAG) :].lstrip(_SEPARATORS)
            if not self._held or PYTHON_TAG.startswith(self._held):
                return None
            if not self._held.startswith("{"):
                return self._end()
        end = self._scanner.end(self._held)
        if end is None:
            return None
        source, self._held = self._held[:end], self._held[end:]
        self._scanner = _ObjectScanner()
        name_and_arguments = read_call(source)
        if isinstance(name_and_arguments, str):
            self._malformed.append(name_and_arguments)
            return []
        self._calls += 1
        return [ToolCall(self._new_id(), *name_and_arguments)]

    def _end(self) -> list[TextDelta | ToolCall]:
        if not self._calls and not self._malformed:
            self._malformed.append("not JSON")
        self._done = True
        return []


class _ObjectScanner:
    """Finds the end of a JSON object that arrives in pieces, looking at each character once."""

    def __init__(self) -> None:
        self._position = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False

    @property
    def at_start(self) -> bool:
        return self._position == 0

    def end(self, text: str) -> int | None:
        """The position after the brace that closes the object at the start of `text`; None if it has not arrived yet."""
        for position in range(self._position, len(text)):
            self._step(text[position])
            if not self._depth:
                return position + 1
        self._position = len(text)
        return None

    def _step(self, character: str) -> None:
        if self._escaped:
            self._escaped = False
        elif self._in_string:
            self._escaped = character == "\\"
            self._in_string = character != '"'
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1


def read_call(source: str) -> tuple[str, str] | Reason:
    """Name and arguments (a JSON object as text) of one call, or what is wrong with it."""
    try:
        call = _load(source)
        if isinstance(call.get("function"), dict):
            call = call["function"]
        name = call.get("name") or call.get("function")
        arguments = call.get("parameters", call.get("arguments"))
        if isinstance(arguments, str):
            arguments = _load(arguments or "{}")
    except (ValueError, RecursionError):
        return "not JSON"
    if not isinstance(name, str):
        return "no name"
    return _checked(name, {} if arguments is None else arguments)


def _load(source: str) -> Any:
    """Strict JSON: Python's reader also accepts NaN and Infinity. Raises ValueError."""
    return json.loads(source, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _checked(name: str, arguments: Any) -> tuple[str, str] | Reason:
    if not isinstance(arguments, dict):
        return "arguments are not an object"
    return name, json.dumps(arguments, ensure_ascii=False)
