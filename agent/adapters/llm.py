"""LiveKit's LLM on top of an LlmEngine."""

import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from livekit.agents import NOT_GIVEN, APIConnectOptions, NotGivenOr, llm, utils

from agent.adapters.errors import NO_RETRIES, api_error
from agent.call.events import EngineFailed, LlmUsage
from agent.call.stream import EventStream
from agent.replies.reply import Reply
from models.errors import CallboxError
from serving.chat import ChatEvent, ChatMessage, ChatRequest, Priority, Role, TextDelta, ToolCall, ToolSpec, Usage
from serving.engine import LlmEngine

_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class LocalLlm(llm.LLM[str]):
    """Replies from a shared engine. One whose turn may not be over yet starts when the call's speculation policy allows it."""

    def __init__(
        self,
        engine: LlmEngine,
        *,
        max_reply_tokens: int,
        plain_user_text: bool,
        tenant: str = "",
        events: EventStream,
    ) -> None:
        super().__init__()
        self.engine = engine
        self.max_reply_tokens = max_reply_tokens
        self.plain_user_text = plain_user_text
        self.tenant = tenant
        self.events = events

    @property
    def model(self) -> str:
        return self.engine.name

    @property
    def provider(self) -> str:
        return "callbox"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = NO_RETRIES,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return self.answer(chat_ctx, [] if tool_choice == "none" else tools or [], None)

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], reply: Reply | None) -> llm.LLMStream:
        """Generate what the agent says next. `reply` is the reply that it belongs to; None outside a call."""
        return _LocalLlmStream(self, self.request(chat_ctx, tools), reply, chat_ctx=chat_ctx, tools=tools)

    def request(
        self, chat_ctx: llm.ChatContext, tools: Sequence[llm.Tool | llm.Toolset], *, saying: str = ""
    ) -> ChatRequest:
        """Build the engine's request. `saying`: what the caller has said that is not in `chat_ctx` yet."""
        said = strip_case_and_punctuation(saying) if self.plain_user_text else saying.strip()
        return ChatRequest(
            messages=(
                *messages_from(chat_ctx, plain_user_text=self.plain_user_text),
                *([ChatMessage("user", said)] if said else []),
            ),
            tools=tool_specs(tools),
            max_tokens=self.max_reply_tokens,
            tenant=self.tenant,
        )


class _LocalLlmStream(llm.LLMStream):
    def __init__(
        self,
        parent: LocalLlm,
        request: ChatRequest,
        reply: Reply | None,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
    ) -> None:
        super().__init__(parent, chat_ctx=chat_ctx, tools=tools, conn_options=NO_RETRIES)
        self._parent = parent
        self._request = request
        self._reply = reply
        self._id = utils.shortuuid("reply_")

    async def _run(self) -> None:
        reply = self._reply
        if reply is not None:
            await reply.wait_to_begin()
        try:
            with nullcontext() if reply is None else reply.computing():
                await self._generate(reply)
        except CallboxError as error:
            self._parent.events.publish(EngineFailed("llm", type(error).__name__))
            raise api_error(error) from error

    async def _generate(self, reply: Reply | None) -> None:
        request = self._request
        if reply is not None and not reply.is_confirmed:
            request = replace(
                request,
                priority=Priority.SPECULATIVE,
                confirmed=reply.turn_over,
                tokens_ahead=reply.tokens_ahead,
            )
        stream = self._parent.engine.open(request)
        counted = 0
        try:
            async for event in stream:
                tokens = new_tokens(event, counted)
                counted += tokens
                if reply is not None:
                    reply.add_tokens(tokens)
                self._event_ch.send_nowait(self._chunk(event))
        finally:
            await stream.aclose()

    def _chunk(self, event: ChatEvent) -> llm.ChatChunk:
        match event:
            case TextDelta(text):
                return llm.ChatChunk(id=self._id, delta=llm.ChoiceDelta(role="assistant", content=text))
            case ToolCall(call_id, name, arguments):
                call = llm.FunctionToolCall(name=name, arguments=arguments, call_id=call_id)
                return llm.ChatChunk(id=self._id, delta=llm.ChoiceDelta(role="assistant", tool_calls=[call]))
            case Usage():
                self._parent.events.publish(
                    LlmUsage(event.ttft_s, event.prompt_tokens, event.cached_tokens, event.completion_tokens)
                )
                return llm.ChatChunk(
                    id=self._id,
                    usage=llm.CompletionUsage(
                        completion_tokens=event.completion_tokens,
                        prompt_tokens=event.prompt_tokens,
                        prompt_cached_tokens=event.cached_tokens,
                        total_tokens=event.prompt_tokens + event.completion_tokens,
                    ),
                )


def new_tokens(event: ChatEvent, counted: int) -> int:
    """How many tokens this event adds to those `counted`: one per piece of text; the usage at the end adds what is missing."""
    if isinstance(event, Usage):
        return max(0, event.completion_tokens - counted)
    return 1


def messages_from(chat_ctx: llm.ChatContext, *, plain_user_text: bool) -> tuple[ChatMessage, ...]:
    """Convert the conversation to our own form, in order. Empty messages are left out; nothing else changes."""
    messages: list[ChatMessage] = []
    for item in chat_ctx.items:
        if isinstance(item, llm.ChatMessage):
            text = (item.text_content or "").strip()
            if item.role == "user" and plain_user_text:
                text = strip_case_and_punctuation(text)
            if text:
                messages.append(ChatMessage(_ROLES[item.role], text))
        elif isinstance(item, llm.FunctionCall):
            call = ToolCall(item.call_id, item.name, item.arguments)
            messages.append(ChatMessage("assistant", tool_calls=(call,)))
        elif isinstance(item, llm.FunctionCallOutput):
            messages.append(ChatMessage("tool", item.output, call_id=item.call_id))
    return tuple(messages)


def strip_case_and_punctuation(text: str) -> str:
    """Lower-case letters, digits and apostrophes only, as the demo recogniser writes and the demo Llama reads."""
    return " ".join(re.sub(r"[^a-z0-9' ]+", " ", text.lower().replace("’", "'")).split())


def tool_specs(tools: Sequence[llm.Tool | llm.Toolset]) -> tuple[ToolSpec, ...]:
    """The specs of a session's raw-schema tools, in order."""
    return tuple(
        ToolSpec(tool.info.name, str(tool.info.raw_schema.get("description", "")), tool.info.raw_schema["parameters"])
        for tool in tools
        if isinstance(tool, llm.RawFunctionTool)
    )
