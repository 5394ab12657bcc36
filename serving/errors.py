"""Errors of engines. The whole tree is drawn in models/errors.py."""

from models.errors import CallboxError


class EngineError(CallboxError):
    """An engine could not do what was asked."""


class EngineLoadFailed(EngineError):
    """An engine could not be loaded or warmed up."""


class EngineTimeout(EngineError):
    """An engine did not answer in time."""


class EngineDied(EngineError):
    """An engine stopped working and must be loaded again before it can be used."""


class AtCapacity(CallboxError):
    """Every line is busy. An answer, not a fault: callers hear it, logs do not shout it."""
