"""The demo Llama's files, its tools, and a template that behaves like Llama 3's."""

import json
from pathlib import Path

import pytest

from serving.chat import ToolSpec
from serving.llm.chat_template import ChatTemplate

LANGUAGE_MODEL = Path(__file__).parents[3] / "models" / "demo" / "language_model"

LLAMA_LIKE = """\
{{- bos_token }}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") if strftime_now is defined else "unknown" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\nToday: " + date_string + "\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message + "<|eot_id|>" }}
{%- if tools is not none and tools_in_user_message %}
    {%- if messages | length == 0 %}
        {{- raise_exception("no first user message") }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if 'tool_calls' in message %}
        {%- if not message.tool_calls | length == 1 %}
            {{- raise_exception("one call at once") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.name + '", "parameters": ' }}
        {{- call.arguments | tojson + "}<|eot_id|>" }}
    {%- elif message.role == "tool" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {{- message.content | tojson if message.content is iterable else message.content }}
        {{- "<|eot_id|>" }}
    {%- else %}
        {{- "<|start_header_id|>" + message.role + "<|end_header_id|>\\n\\n" + message.content | trim + "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<|start_header_id|>assistant<|end_header_id|>\\n\\n" }}
{%- endif %}
"""


@pytest.fixture
def model_dir() -> Path:
    """The demo Llama for CTranslate2."""
    return LANGUAGE_MODEL / "ct2"


@pytest.fixture
def prompts_dir() -> Path:
    """What the demo Llama was trained on."""
    return LANGUAGE_MODEL / "prompts"


@pytest.fixture
def tools(prompts_dir: Path) -> tuple[ToolSpec, ...]:
    """The demo Llama's eight tools, in the order of its training."""
    entries = [entry["function"] for entry in json.loads((prompts_dir / "tools.json").read_text())]
    return tuple(ToolSpec(entry["name"], entry["description"], entry["parameters"]) for entry in entries)


@pytest.fixture
def llama_like() -> ChatTemplate:
    """Allows one call per message, asks for the date, and can put the tools in two places."""
    return ChatTemplate(LLAMA_LIKE, {"bos_token": "<|begin_of_text|>"})
