"""Errors on the caller's side."""

from models.errors import CallboxError


class CallerError(CallboxError):
    """The caller cannot make the call; the message says what to do."""


class DialogueInvalid(CallerError):
    """A dialogue file cannot be read as one; the message names the file."""


class LineMissing(CallerError):
    """A voice has no audio for a line; the message names the command that renders it."""
