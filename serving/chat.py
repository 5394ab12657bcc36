"""What goes into a language model and what comes out of it, independent of any engine's own classes."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call that the model asks for."""

    call_id: str
    name: str
    arguments: str
    """A JSON object as text."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """Only in assistant messages."""
    call_id: str = ""
    """Only in tool messages: which call this answers."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object."""


class Priority(IntEnum):
    """Who goes first when requests wait; lower is sooner."""

    CONFIRMED = 0
    """A caller has finished speaking and is waiting for the answer."""
    SPECULATIVE = 1
    """A caller has paused and may go on."""
    BACKGROUND = 2
    """Summaries, warm-ups."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One reply to be generated."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 192
    temperature: float = 0.0
    """0 is greedy; at most 2."""
    priority: Priority = Priority.CONFIRMED
    confirmed: "Future[None] | None" = field(default=None, compare=False, repr=False)
    """Of a speculative request: done once the caller has finished the turn that it answers. From then on it counts as CONFIRMED,
    as far as an engine can still change what it has begun. Set and read in any thread."""
    tokens_ahead: int | None = None
    """Of a speculative request: how many tokens to generate before `confirmed` is done; None: all. An engine that cannot pause
    has to start again for the rest, with everything in its prefix cache."""
    tenant: str = ""
    """Whose conversation it is. Where an engine can tell tenants apart (vLLM can), they share no cached prefixes, so that nobody
    learns from an answer's speed what somebody else has asked."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the spoken reply. Never contains any part of a tool call."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Sent once, last."""

    prompt_tokens: int
    cached_tokens: int
    """How many of the prompt's tokens were already in the prefix cache."""
    completion_tokens: int
    ttft_s: float
    """Wall-clock time from request to first token."""


ChatEvent = TextDelta | ToolCall | Usage
