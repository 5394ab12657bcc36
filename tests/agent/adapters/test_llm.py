"""LocalLlm: conversations in the engine's form, and replies in LiveKit's."""

import asyncio
from typing import Any

import pytest
from livekit.agents import APIError, function_tool, llm

from agent.adapters.front_desk import clinic_tool
from agent.adapters.llm import LocalLlm, messages_from, strip_case_and_punctuation, tool_specs
from agent.call.events import EngineFailed, LlmUsage
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import load_facts
from agent.clinic.tools import TOOL_SPECS
from agent.settings import ROOT
from serving.chat import ChatMessage, ChatRequest, Priority, TextDelta, ToolCall
from tests.published import Published
from tests.scripted import ScriptedLlm, tokens
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


def local(engine: ScriptedLlm, *, call: Published | None = None) -> LocalLlm:
    """LocalLlm on top of an engine."""
    return LocalLlm(engine, max_reply_tokens=77, plain_user_text=False, events=call or Published())


def talk(*messages: tuple[Any, str]) -> llm.ChatContext:
    """A conversation."""
    context = llm.ChatContext()
    for role, text in messages:
        context.add_message(role=role, content=text)
    return context


def clinic_tools() -> list[llm.Tool]:
    """The front desk's tools."""
    clinic = demo_clinic(load_facts(ROOT / "configs" / "clinic.yaml"))
    return [clinic_tool(spec, clinic, Published()) for spec in TOOL_SPECS]


def test_messages_keep_their_roles_and_order() -> None:
    context = talk(("system", "Be kind."), ("assistant", "Hello."), ("user", "hi"), ("developer", "Be brief."))
    assert messages_from(context, plain_user_text=False) == (
        ChatMessage("system", "Be kind."),
        ChatMessage("assistant", "Hello."),
        ChatMessage("user", "hi"),
        ChatMessage("system", "Be brief."),
    )


def test_tool_calls_and_results_keep_their_place() -> None:
    context = talk(("user", "a refill"))
    context.items += [
        llm.FunctionCall(call_id="1", name="request_refill", arguments='{"name": "Anna"}'),
        llm.FunctionCallOutput(call_id="1", name="request_refill", output='{"status": "sent"}', is_error=False),
    ]
    context.add_message(role="assistant", content="Done.")
    assert messages_from(context, plain_user_text=False) == (
        ChatMessage("user", "a refill"),
        ChatMessage("assistant", tool_calls=(ToolCall("1", "request_refill", '{"name": "Anna"}'),)),
        ChatMessage("tool", '{"status": "sent"}', call_id="1"),
        ChatMessage("assistant", "Done."),
    )


def test_what_the_caller_is_saying_ends_the_prompt() -> None:
    context = talk(("system", "Be kind."), ("assistant", "Hello."))
    one = local(ScriptedLlm(lambda request: []))
    assert one.request(context, clinic_tools(), saying="i need").messages[-1] == ChatMessage("user", "i need")
    assert one.request(context, clinic_tools(), saying=" ").messages[-1] == ChatMessage("assistant", "Hello.")
    assert one.request(context, clinic_tools()).tools == TOOL_SPECS


def test_a_request_names_its_tenant() -> None:
    one = LocalLlm(
        ScriptedLlm(lambda request: []),
        max_reply_tokens=77,
        plain_user_text=False,
        tenant="north",
        events=Published(),
    )
    assert one.request(talk(("user", "hi")), []) == ChatRequest(
        (ChatMessage("user", "hi"),), max_tokens=77, tenant="north"
    )


@pytest.mark.parametrize("empty", ["", "   ", "\n"])
def test_empty_messages_are_left_out(empty: str) -> None:
    context = talk(("user", "hi"), ("assistant", empty), ("user", empty))
    assert messages_from(context, plain_user_text=False) == (ChatMessage("user", "hi"),)


def test_items_that_are_not_messages_are_left_out() -> None:
    context = talk(("user", "hi"))
    context.items.append(llm.AgentHandoff(new_agent_id="another"))
    assert messages_from(context, plain_user_text=False) == (ChatMessage("user", "hi"),)


def test_only_the_callers_text_is_made_plain() -> None:
    context = talk(("system", "Be kind."), ("assistant", "Hello, Anna!"), ("user", "I'd like 2 at 10:30, please."))
    assert [message.text for message in messages_from(context, plain_user_text=True)] == [
        "Be kind.",
        "Hello, Anna!",
        "i'd like 2 at 10 30 please",
    ]


def test_a_caller_message_of_nothing_but_punctuation_is_left_out() -> None:
    assert messages_from(talk(("user", "?!")), plain_user_text=True) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("It’s FINE.", "it's fine"), ("  two   words ", "two words"), ("a-b/c", "a b c"), ("", ""), ("é", "")],
)
def test_case_and_punctuation_are_stripped(text: str, expected: str) -> None:
    assert strip_case_and_punctuation(text) == expected


def test_tools_keep_the_clinics_order_and_are_the_same_every_time() -> None:
    specs = tool_specs(clinic_tools())
    assert [spec.name for spec in specs] == [spec.name for spec in TOOL_SPECS]
    assert specs == TOOL_SPECS
    assert repr(tool_specs(clinic_tools())) == repr(specs)


def test_tools_that_are_not_raw_schemas_are_left_out() -> None:
    @function_tool
    async def say_hello(name: str) -> str:
        """Say hello."""
        return name

    assert tool_specs([say_hello, *clinic_tools()]) == TOOL_SPECS


@in_virtual_time
async def test_a_reply_is_streamed_and_its_usage_comes_last() -> None:
    engine = ScriptedLlm(lambda request: tokens("we are open"))
    stream = local(engine).chat(chat_ctx=talk(("user", "hi"), ("assistant", "hello"), ("user", "when")))
    chunks = [chunk async for chunk in stream]
    await stream.aclose()
    assert [chunk.delta.content for chunk in chunks if chunk.delta] == ["we", " are", " open"]
    assert len({chunk.id for chunk in chunks}) == 1
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.prompt_cached_tokens, usage.completion_tokens, usage.total_tokens) == (
        3,
        0,
        1,
        4,
    )


@in_virtual_time
async def test_a_tool_call_comes_in_one_piece() -> None:
    call = ToolCall("7", "end_call", "{}")
    stream = local(ScriptedLlm(lambda request: [TextDelta("bye"), call])).chat(chat_ctx=talk(("user", "bye")))
    deltas = [chunk.delta async for chunk in stream if chunk.delta]
    await stream.aclose()
    assert [delta.content for delta in deltas if delta.content] == ["bye"]
    (called,) = [called for delta in deltas for called in delta.tool_calls]
    assert (called.call_id, called.name, called.arguments) == ("7", "end_call", "{}")


@in_virtual_time
async def test_the_engine_gets_a_complete_request() -> None:
    engine = ScriptedLlm(lambda request: [])
    stream = local(engine).chat(chat_ctx=talk(("user", "hi")), tools=clinic_tools())
    await stream.collect()
    await stream.aclose()
    assert engine.replies[0].request == ChatRequest(
        (ChatMessage("user", "hi"),), TOOL_SPECS, max_tokens=77, temperature=0.0, priority=Priority.CONFIRMED
    )


@pytest.mark.parametrize(("choice", "offered"), [("none", ()), ("auto", TOOL_SPECS)])
@in_virtual_time
async def test_tools_are_offered_unless_the_choice_is_none(choice: Any, offered: tuple[object, ...]) -> None:
    engine = ScriptedLlm(lambda request: [])
    stream = local(engine).chat(chat_ctx=talk(("user", "hi")), tools=clinic_tools(), tool_choice=choice)
    await stream.collect()
    await stream.aclose()
    assert engine.replies[0].request.tools == offered


@in_virtual_time
async def test_a_reply_that_is_closed_is_no_longer_computed() -> None:
    engine = ScriptedLlm(lambda request: tokens("word " * 500), ttft_s=0.1, token_s=0.05)
    stream = local(engine).chat(chat_ctx=talk(("user", "hi")))
    await asyncio.sleep(1.0)
    await stream.aclose()
    (reply,) = engine.replies
    assert reply.closed_at == pytest.approx(asyncio.get_running_loop().time())
    sent = len(reply.sent)
    await asyncio.sleep(5.0)
    assert len(reply.sent) == sent < 30


@in_virtual_time
async def test_a_reply_that_is_closed_before_its_first_token_is_no_longer_computed() -> None:
    engine = ScriptedLlm(lambda request: tokens("hello"), ttft_s=5.0)
    stream = local(engine).chat(chat_ctx=talk(("user", "hi")))
    await asyncio.sleep(0.1)
    await stream.aclose()
    await asyncio.sleep(10)
    assert engine.replies[0].closed_at is not None
    assert engine.replies[0].sent == []


@pytest.mark.parametrize("dies", ["when it is opened", "before its first token"])
@in_virtual_time
async def test_a_failure_is_published_and_not_retried(dies: str) -> None:
    engine, call = ScriptedLlm(lambda request: tokens("hello")), Published()
    engine.is_dead = dies == "when it is opened"
    engine.dies_at.append(1)
    stream = local(engine, call=call).chat(chat_ctx=talk(("user", "my name is anna")))
    with pytest.raises(APIError, match="EngineDied") as caught:
        await stream.collect()
    await stream.aclose()
    assert not caught.value.retryable
    assert "anna" not in str(caught.value)
    assert call.payloads == [EngineFailed("llm", "EngineDied")]
    assert len(engine.replies) == (0 if engine.is_dead else 1)


@in_virtual_time
async def test_usage_is_published() -> None:
    call = Published()
    stream = local(ScriptedLlm(lambda request: tokens("hello"), ttft_s=0.3), call=call).chat(
        chat_ctx=talk(("user", "hi"))
    )
    await stream.collect()
    await stream.aclose()
    assert call.payloads == [LlmUsage(ttft_s=0.3, prompt_tokens=1, cached_tokens=0, completion_tokens=1)]


def test_its_model_and_provider() -> None:
    engine = ScriptedLlm(lambda request: [])
    assert (local(engine).model, local(engine).provider) == ("llm", "callbox")
