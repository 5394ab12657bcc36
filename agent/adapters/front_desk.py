"""The front desk: what the agent is told, and the tools it may use."""

import json
from collections.abc import Callable
from typing import Any

from livekit.agents import Agent, RunContext, StopResponse, function_tool, llm
from livekit.agents.voice import SpeechHandle

from agent.clinic.clinic import Clinic
from agent.clinic.tools import TOOL_SPECS, call_tool
from serving import metrics
from serving.chat import ToolSpec

ToolReport = Callable[[str, str, SpeechHandle], None]
"""Told of each tool call: its name, the status of its result, and the reply that it is part of."""


class FrontDesk(Agent):
    """Answers for a clinic, by its prompt and through its tools."""

    def __init__(self, *, instructions: str, clinic: Clinic, on_tool: ToolReport, on_turn: Callable[[], None]) -> None:
        super().__init__(instructions=instructions, tools=[clinic_tool(spec, clinic, on_tool) for spec in TOOL_SPECS])
        self._on_turn = on_turn

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """The turn is over: what was prepared for it may be used. Changes nothing, so that it can be."""
        self._on_turn()
        if not (new_message.text_content or "").strip():
            raise StopResponse


def clinic_tool(spec: ToolSpec, clinic: Clinic, on_tool: ToolReport) -> llm.RawFunctionTool[Any, Any]:
    """A tool of the clinic's as LiveKit calls it. Its result is JSON text."""

    async def run(raw_arguments: dict[str, object], context: RunContext[Any]) -> str:
        result = await call_tool(clinic, spec.name, json.dumps(raw_arguments))
        status = str(json.loads(result).get("status", "ok"))
        metrics.TOOL_CALLS.labels(spec.name, status).inc()
        on_tool(spec.name, status, context.speech_handle)
        return result

    schema = {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)}
    return function_tool(run, raw_schema=schema)
