"""Errors of engines. The whole tree is drawn in models/errors.py."""

from models.errors import CallboxError


class EngineError(CallboxError):
    """An engine could not do what was asked."""


class EngineLoadFailed(EngineError):
    """An engine could not be loaded or warmed up."""


class EngineDied(EngineError):
    """An engine stopped working and must be loaded again before it can be used."""


class PromptTooLong(EngineError):
    """The conversation does not fit the language model; the message says by how much."""


class ToolCallMalformed(EngineError):
    """The language model wrote a tool call that cannot be read, and nothing else that would help the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The language model wrote a tool call that cannot be used ({reason}). Ask again; if it happens often, "
            "raise max_tokens or use a larger model."
        )
        self.reason = reason


class AtCapacity(CallboxError):
    """Every line is busy. An answer, not a fault: callers hear it, logs do not shout it."""
