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
    """A tool has returned."""

    call_id: str
    name: str
    status: str
    """The `status` of its result, "ok" if it has none."""
    took_s: float
    reply_id: str
    """The reply that called it."""


@dataclass(frozen=True, slots=True)
class ToolExchange:
    """A tool's arguments and result, both JSON."""

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
    """An engine's answer came too late to be used. The engine may be fine and the machine busy."""

    stage: str


@dataclass(frozen=True, slots=True)
class EngineReloaded:
    """An engine that had died works again."""

    stage: str
