"""What a person or the agent said, as a type of its own, so that it cannot end up in a log line, a metric label or a span name."""

from dataclasses import dataclass

from serving.speech import Word


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words said in a call, or anything else about a person: a name, an identity, a tool's arguments.

    Read it with `text` and `words`. Printed or formatted, it shows only its length.
    """

    text: str
    words: tuple[Word, ...] = ()
    """With their times, where they are known: seconds since the call began, or since the reply's first sample for the agent."""

    def __repr__(self) -> str:
        return f"<{len(self.text)} characters>"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.text)
