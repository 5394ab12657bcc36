"""The front desk as LiveKit's Agent: its instructions, its tools, and which reply each stage is working on."""

import asyncio
import json
import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import Agent, ModelSettings, RunContext, StopResponse, function_tool, llm, utils
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.agent_activity import _SpeechHandleContextVar

from agent.adapters.llm import LocalLlm
from agent.adapters.tts import LocalTts
from agent.call.events import ToolCalled, ToolExchange, ToolReturned, TurnOver
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from agent.clinic.clinic import Clinic
from agent.clinic.tools import TOOL_SPECS, call_tool
from agent.replies.speculation import Replies
from serving.chat import ToolSpec


class FrontDesk(Agent):
    """Answers the clinic's calls, following its prompt and using its tools."""

    def __init__(
        self,
        *,
        instructions: str,
        clinic: Clinic,
        model: LocalLlm,
        voice: LocalTts,
        replies: Replies,
        events: EventStream,
    ) -> None:
        super().__init__(instructions=instructions, tools=[clinic_tool(spec, clinic, events) for spec in TOOL_SPECS])
        self._model = model
        self._voice = voice
        self._replies = replies
        self._events = events

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Publish that the turn is over. Leaves the context unchanged, so that LiveKit can use the reply prepared for it."""
        self._events.publish(TurnOver())
        if not (new_message.text_content or "").strip():
            raise StopResponse

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[llm.ChatChunk]:
        """Generate the reply's words, or its tool calls."""
        offered = [] if model_settings.tool_choice == "none" else tools
        async with self._model.answer(chat_ctx, offered, self._replies.of(speech_in_progress())) as stream:
            async for chunk in stream:
                yield chunk

    async def tts_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
        """Synthesize the reply."""
        async with self._voice.speak(self._replies.of(speech_in_progress())) as stream:

            async def feed() -> None:
                async for piece in text:
                    stream.push_text(piece)
                stream.end_input()

            feeding = asyncio.create_task(feed())
            try:
                async for spoken in stream:
                    yield spoken.frame
            finally:
                await utils.aio.cancel_and_wait(feeding)


def speech_in_progress() -> SpeechHandle | None:
    """The reply that the current task is for. LiveKit 1.8 does not pass it to the nodes; it keeps it here."""
    return _SpeechHandleContextVar.get(None)


def clinic_tool(spec: ToolSpec, clinic: Clinic, events: EventStream) -> llm.RawFunctionTool[Any, Any]:
    """Wrap a clinic tool for LiveKit. Its result is JSON text."""

    async def run(raw_arguments: dict[str, object], context: RunContext[Any]) -> str:
        call_id = context.function_call.call_id
        events.publish(ToolCalled(call_id, spec.name))
        began = time.perf_counter()
        arguments = json.dumps(raw_arguments)
        result = await call_tool(clinic, spec.name, arguments)
        took_s = time.perf_counter() - began
        status = str(json.loads(result).get("status", "ok"))
        events.publish(ToolReturned(call_id, spec.name, status, took_s, context.speech_handle.id))
        events.publish(ToolExchange(call_id, spec.name, Spoken(arguments), Spoken(result)))
        return result

    schema = {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)}
    return function_tool(run, raw_schema=schema)
