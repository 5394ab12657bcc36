"""Events about tools and engines."""

from dataclasses import dataclass

from agent.call.spoken import Spoken


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The language model calls a tool."""

    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """A tool has answered."""

    call_id: str
    name: str
    status: str
    """The `status` of its result, "ok" if it has none."""
    took_s: float
    reply_id: str
    """The reply that it is part of."""


@dataclass(frozen=True, slots=True)
class ToolExchange:
    """What a tool was asked and what it answered, both JSON."""

    call_id: str
    name: str
    arguments: Spoken
    result: Spoken


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """An engine failed in this call."""

    stage: str
    error: str
    """Name of the error's class."""


@dataclass(frozen=True, slots=True)
class EngineLate:
    """An engine's answer came too late to be used; it may be well, and the machine busy."""

    stage: str


@dataclass(frozen=True, slots=True)
class EngineReloaded:
    """An engine that had died works again."""

    stage: str
