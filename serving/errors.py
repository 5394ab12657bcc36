"""Errors that engines raise. models/errors.py draws the whole tree."""

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
    """The language model wrote an unreadable tool call and nothing else that would help the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The language model wrote an unusable tool call ({reason}). Ask again; if it happens often, "
            "raise max_tokens or use a larger model."
        )
        self.reason = reason


class AtCapacity(CallboxError):
    """Every line is busy. An answer rather than a fault: callers hear it, and it is not logged as an error."""
