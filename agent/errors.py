"""Errors of the agent. The whole tree is drawn in models/errors.py."""

from models.errors import CallboxError


class ConfigError(CallboxError):
    """A setting is unknown, missing or out of range; the message names the file and the key."""


class RecordsUnavailable(CallboxError):
    """The clinic's record system did not answer, or answered too late; the message says what to check."""
