"""Turns messages and tools into the text a model was trained on, with the model's own Jinja chat template.

The text is byte-stable: the same messages give the same bytes on any day, so a computed prefix stays valid.
Shared by every engine that renders prompts itself.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from serving.chat import ChatMessage, ToolCall, ToolSpec
from serving.errors import EngineError, EngineLoadFailed

TODAY = datetime(2024, 7, 26)
"""The date for templates that ask for one: the day that Meta's templates fall back to. A prompt that needs today's date
has it in a message."""

VARIABLES: Mapping[str, Any] = {"date_string": TODAY.strftime("%d %b %Y"), "tools_in_user_message": False}
"""Variables of the Llama 3 templates. Tools belong in the system message: calls begin with the agent's greeting, and a
prefix that holds the caller's first words would be cached once per caller."""

_MARKUP = re.compile(r"<\|\w+\|>")
"""Llama 3's special tokens as text. Removed from messages, so that no caller can end their own turn."""


class ChatTemplate:
    """A compiled chat template. Immutable; safe to use from several threads."""

    def __init__(self, source: str, special_tokens: Mapping[str, str]) -> None:
        """Compile `source`. `special_tokens` are the template's variables such as `bos_token`.

        Raises EngineLoadFailed if the template has a syntax error.
        """
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = TODAY.strftime
        self._variables = {**special_tokens, **VARIABLES}
        try:
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise EngineLoadFailed(
                f"The model's chat template is broken ({error}). Download or convert the model again."
            ) from error

    @classmethod
    def from_directory(cls, model_dir: Path) -> "ChatTemplate":
        """The template of a model as Hugging Face lays it out: `chat_template.jinja`, else in `tokenizer_config.json`.

        Raises EngineLoadFailed, naming the missing file.
        """
        config_path, template_path = model_dir / "tokenizer_config.json", model_dir / "chat_template.jinja"
        try:
            config = json.loads(config_path.read_text(encoding="utf-8"))
            source = template_path.read_text(encoding="utf-8") if template_path.exists() else config["chat_template"]
        except (OSError, ValueError, KeyError) as error:
            raise EngineLoadFailed(
                f"There is no chat template in {model_dir} ({type(error).__name__}: {error}). The folder needs the "
                "model's tokenizer_config.json: get the model again with scripts/download_models.sh."
            ) from error
        return cls(_default_template(source), _special_tokens(config))

    def render(
        self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec] = (), *, add_generation_prompt: bool = True
    ) -> str:
        """The prompt as text, special tokens included. Raises EngineError if the template refuses the conversation."""
        try:
            return self._template.render(
                **self._variables,
                messages=[entry for message in _one_call_each(messages) for entry in _entries(message)],
                tools=[_tool_entry(tool) for tool in tools] or None,
                add_generation_prompt=add_generation_prompt,
            )
        except TemplateError as error:
            raise EngineError(
                f"The model's chat template refuses this conversation ({error}). Its messages must be in an order that "
                "the model was trained on."
            ) from error


def _one_call_each(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """The messages with at most one tool call in each, every call followed by its result.

    Llama 3's templates accept one call per message.
    """
    results = {message.call_id: message for message in messages if message.role == "tool"}
    calls = {call.call_id for message in messages for call in message.tool_calls}
    for message in messages:
        if message.role == "tool" and message.call_id in calls:
            continue
        if message.text or not message.tool_calls:
            yield ChatMessage(role=message.role, text=message.text, call_id=message.call_id)
        for call in message.tool_calls:
            yield ChatMessage(role="assistant", tool_calls=(call,))
            if call.call_id in results:
                yield results[call.call_id]


def _entries(message: ChatMessage) -> Iterator[dict[str, Any]]:
    """A message in the form that chat templates read."""
    if message.tool_calls:
        calls = [_call_entry(call) for call in message.tool_calls]
        yield {"role": "assistant", "content": "", "tool_calls": calls}
    elif message.role == "tool":
        yield {"role": "tool", "content": _object_or_text(_plain(message.text))}
    else:
        yield {"role": message.role, "content": _plain(message.text)}


def _call_entry(call: ToolCall) -> dict[str, Any]:
    return {"type": "function", "function": {"name": call.name, "arguments": _object_or_text(_plain(call.arguments))}}


def _tool_entry(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _plain(text: str) -> str:
    """The text without anything that reads as a special token."""
    while _MARKUP.search(text):
        text = _MARKUP.sub("", text)
    return text


def _object_or_text(text: str) -> Any:
    """A JSON object as an object, so that templates do not write it as a string within a string."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def _default_template(source: Any) -> str:
    """The template; where there are several named ones, the default."""
    if isinstance(source, list):
        return str(next((entry["template"] for entry in source if entry["name"] == "default"), source[0]["template"]))
    return str(source)


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """`bos_token` and the like; each a string, or an object with its `content`."""
    tokens = {}
    for name, value in config.items():
        if name.endswith("_token") and value:
            tokens[name] = value["content"] if isinstance(value, dict) else value
    return {name: value for name, value in tokens.items() if isinstance(value, str)}


def _to_json(value: Any, indent: int | None = None) -> str:
    """Jinja's own `tojson` escapes for HTML; models were trained on plain JSON."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)
