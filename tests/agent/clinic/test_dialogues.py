"""Whole calls in text: the scripted callers of tests/call/dialogues against the real demo model, the real tools, the real prompt."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.clinic.clinic import Clinic
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import ClinicFacts
from agent.clinic.prompts import front_desk_prompt, greeting
from agent.clinic.tools import TOOL_SPECS, call_tool
from agent.settings import ROOT
from agent.speech.normalizer import make_speakable
from scripts.caller.dialogue import Dialogue, Script, load_dialogue
from scripts.caller.goal import unmet
from serving.chat import ChatMessage, ChatRequest, TextDelta, ToolCall
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions

pytestmark = pytest.mark.contract

DIALOGUES = sorted((ROOT / "tests" / "call" / "dialogues").glob("*.yaml"))
SUNDAY_NIGHT, WEDNESDAY_NOON = datetime(2026, 11, 29, 23, 50), datetime(2026, 11, 25, 12, 5)


@pytest.fixture(scope="module")
def llm() -> Iterator[CTranslate2Llm]:
    engine = CTranslate2Llm(CTranslate2LlmOptions(), ROOT / "models" / "demo" / "language_model" / "ct2")
    engine.load()
    yield engine
    engine.close()


class FrontDesk:
    """The conversation without sound: the model, its tools and the history."""

    def __init__(self, llm: CTranslate2Llm, clinic: Clinic) -> None:
        self._llm, self._clinic = llm, clinic
        self.spoken = [greeting(clinic.facts)]
        self._history = [
            ChatMessage("system", front_desk_prompt(clinic.facts)),
            ChatMessage("assistant", self.spoken[0]),
        ]

    async def hear(self, text: str) -> str:
        self._history.append(ChatMessage("user", text))
        for _ in range(4):
            reply, calls = await self._reply()
            if not calls:
                self.spoken.append(reply)
                return reply
        raise AssertionError("the model calls tools without end")

    async def _reply(self) -> tuple[str, list[ToolCall]]:
        events = [event async for event in self._llm.open(ChatRequest(tuple(self._history), TOOL_SPECS, max_tokens=96))]
        text = "".join(event.text for event in events if isinstance(event, TextDelta)).strip()
        calls = [event for event in events if isinstance(event, ToolCall)]
        self._history.append(ChatMessage("assistant", text, tuple(calls)))
        for each in calls:
            result = await call_tool(self._clinic, each.name, each.arguments)
            self._history.append(ChatMessage("tool", result, call_id=each.call_id))
        return text, calls


async def lines_of_caller(dialogue: Dialogue, desk: FrontDesk) -> AsyncIterator[str]:
    """What the caller says until they hang up."""
    script, line = Script(dialogue), dialogue.opening
    for _ in range(dialogue.max_turns):
        if line is None:
            return
        yield line
        rule = script.answer(await desk.hear(line))
        line = rule.say if rule else None


@pytest.mark.parametrize("now", [SUNDAY_NIGHT, WEDNESDAY_NOON], ids=["sunday night", "wednesday noon"])
@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
async def test_a_scripted_caller_reaches_the_goal(
    path: Path, now: datetime, llm: CTranslate2Llm, facts: ClinicFacts
) -> None:
    dialogue = load_dialogue(path)
    clinic = demo_clinic(facts, now=lambda: now)
    before, desk = await clinic.book.snapshot(), FrontDesk(llm, clinic)
    said = [line async for line in lines_of_caller(dialogue, desk)]
    assert unmet(dialogue.goal, before, await clinic.book.snapshot(), " ".join(desk.spoken)) == []
    assert "Goodbye" in desk.spoken[-1]
    assert len(said) < dialogue.max_turns
    assert all(make_speakable(reply) == reply for reply in desk.spoken)


async def test_a_booking_takes_six_turns_or_more(llm: CTranslate2Llm, facts: ClinicFacts) -> None:
    dialogue = load_dialogue(ROOT / "tests" / "call" / "dialogues" / "book_step_by_step.yaml")
    desk = FrontDesk(llm, demo_clinic(facts, now=lambda: WEDNESDAY_NOON + timedelta(days=1)))
    assert len([line async for line in lines_of_caller(dialogue, desk)]) >= 6
