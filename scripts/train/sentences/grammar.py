"""A template grammar: `{a|b}` draws one of the alternatives, `<name>` draws from that list or expands that rule.

    expand("{can i|i want to} see <doctor>{| tomorrow}")

Every alternative is expanded, from left to right, before one of them is drawn. That order is part of the grammar: it makes a
seed stand for the same corpus for good.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_TOKEN = re.compile(r"[{}|]|<[^<>]+>|[^{}|<>]+")


@dataclass(frozen=True, slots=True)
class _Reference:
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    alternatives: tuple["_Template", ...]


_Template = tuple[str | _Reference | _Choice, ...]


class Grammar:
    """Draws sentences with one random generator."""

    def __init__(
        self,
        rng: random.Random,
        *,
        words: Mapping[str, Sequence[str]],
        rules: Mapping[str, str],
        functions: Mapping[str, Callable[..., str]] | None = None,
    ) -> None:
        """`words` are lists to draw from, `rules` templates, `functions` what neither can express."""
        self.rng = rng
        self._words, self._rules, self._functions = words, rules, functions or {}

    def expand(self, template: str) -> str:
        """The template with every choice made. Raises KeyError for a name that the grammar lacks."""
        return self._expand(parse(template))

    def draw(self, name: str, *arguments: str) -> str:
        """One draw of what `<name>` stands for."""
        if name in self._functions:
            return self._functions[name](*arguments)
        if name in self._rules:
            return self.expand(self._rules[name])
        return self.rng.choice(self._words[name])

    def _expand(self, template: _Template) -> str:
        return "".join(self._part(part) for part in template)

    def _part(self, part: str | _Reference | _Choice) -> str:
        if isinstance(part, str):
            return part
        if isinstance(part, _Reference):
            return self.draw(part.name, *part.arguments)
        return self.rng.choice([self._expand(alternative) for alternative in part.alternatives])


@cache
def parse(template: str) -> _Template:
    """A template as a tree. Raises ValueError if its braces do not match."""
    tokens = iter(_TOKEN.findall(template))
    parts, end = _sequence(tokens, closing="")
    if end:
        raise ValueError(f"'{end}' is misplaced in: {template}")
    return parts


def _sequence(tokens: Iterator[str], *, closing: str) -> tuple[_Template, str]:
    """Parts up to a token in `closing` or any of `|}`, and that token ('' at the end)."""
    parts: list[str | _Reference | _Choice] = []
    for token in tokens:
        if token == "{":
            parts.append(_choice(tokens))
        elif token in "|}":
            return tuple(parts), token
        elif token.startswith("<"):
            name, *arguments = token[1:-1].split()
            parts.append(_Reference(name, tuple(arguments)))
        else:
            parts.append(token)
    if closing:
        raise ValueError(f"'{closing}' is missing in a template.")
    return tuple(parts), ""


def _choice(tokens: Iterator[str]) -> _Choice:
    alternatives: list[_Template] = []
    end = "|"
    while end == "|":
        parts, end = _sequence(tokens, closing="}")
        alternatives.append(parts)
    return _Choice(tuple(alternatives))


def read(path: Path) -> dict[str, Any]:
    """A grammar file: `words` (lists, or words separated by spaces), `rules` and `templates`."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    lists = content.get("words", {})
    words = {name: value.split() if isinstance(value, str) else value for name, value in lists.items()}
    return {"words": words, "rules": content.get("rules", {}), "templates": content["templates"]}
