"""The prompts and tools of the front desk, and the Llama 3 layout of messages that the model is trained on."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.train.language_model.domain import LABELS, Facts

Tool = dict[str, Any]

RULES = (
    "Speak in short plain sentences, at most twenty five words, and end with a question or a clear next step. "
    "Write numbers and times as words. Use only the facts below. "
    "Never diagnose or give medical advice: offer an appointment. "
    "For chest pain or shortness of breath, tell the caller to call emergency services and offer a transfer. "
    "Ask for what is missing, confirm, then call the tool. Say only what the tool result says."
)
SUMMARY_PROMPT = "Summarise the call so far in at most three sentences for a colleague."
HANDOFF_PROMPT = (
    "Write a handoff briefing for the colleague who takes over this call: "
    "the reason, the caller's name, what was asked and what was done."
)
TOOLS_HEADING = '\n\nTo use a tool, answer only with {"name": tool, "parameters": {...}}. Tools:'

_TEMPLATE_FILE = Path(__file__).with_name("chat_template.jinja")
CHAT_TEMPLATE = "".join(line.strip() for line in _TEMPLATE_FILE.read_text(encoding="utf-8").splitlines())
"""Renders what `render_system` and `render_message` write."""

_NAME = "caller's full name"
_DOCTOR = "doctor's last name, or any"
_DAY = "day as the caller said it"


def _tool(tool_name: str, tool_description: str, /, **parameters: str) -> Tool:
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"type": "function", "function": {"name": tool_name, "description": tool_description, "parameters": schema}}


TOOLS = [
    _tool("check_availability", "find free times", day=_DAY, doctor=_DOCTOR),
    _tool(
        "book_appointment",
        "book a confirmed appointment",
        name=_NAME,
        doctor=_DOCTOR,
        day=_DAY,
        time="time as the caller said it",
        reason="reason for the visit, or visit",
    ),
    _tool("cancel_appointment", "cancel an appointment", name=_NAME, day="day of the appointment"),
    _tool("reschedule_appointment", "move an appointment", name=_NAME, from_day="present day", to_day="new day"),
    _tool("request_refill", "ask for a refill", name=_NAME, medication="name of the medication"),
    _tool("check_results", "look up test results", name=_NAME, test="kind of test"),
    _tool("transfer_to_human", "put the caller through to a colleague", reason="why, in a few words"),
    _tool("end_call", "hang up after goodbye"),
]


def front_desk_prompt(facts: Facts, rng: random.Random | None = None) -> str:
    """The front desk's system message. With `rng`, the facts are in random order."""
    lines = [f"{label}: {facts[key]}" for key, label in LABELS.items()]
    if rng is not None:
        rng.shuffle(lines)
    return f"You are the phone receptionist of {facts['clinic']}. {RULES}\n\n" + "\n".join(lines)


def tools_text(tools: Sequence[Tool] = TOOLS) -> str:
    """What the chat template appends to the system message for `tools`."""
    return TOOLS_HEADING + "".join(_tool_line(tool["function"]) for tool in tools)


def _tool_line(function: dict[str, Any]) -> str:
    parameters = ", ".join(function["parameters"]["properties"])
    return f"\n{function['name']}({parameters}): {function['description']}"


def render_message(role: str, content: str) -> str:
    """One message with its special tokens."""
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>"


def render_system(text: str, tools: Sequence[Tool] | None = None) -> str:
    """The beginning of a prompt: the system message with its tools."""
    return "<|begin_of_text|>" + render_message("system", text + (tools_text(tools) if tools else ""))
