"""A whole conversation without a room: the product's dialogue on scripted engines, in virtual time."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit.agents.inference import interruption
from livekit.agents.inference._utils import HEADER_JOB_ID
from livekit.agents.llm import FunctionCall
from livekit.agents.utils import http_context
from livekit.agents.voice import events

from agent.adapters.captions import Captions
from agent.adapters.interruption_server import InterruptionServer
from agent.call.dialogue import Dialogue, Surroundings
from agent.call.resources import Box, prepare
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import load_facts
from agent.operate.offline import INFERENCE_URL
from agent.settings import ROOT, Keys, Settings
from serving.audio import SPEECH_RATE, Pcm16
from serving.capacity import CapacityGate
from serving.chat import ChatRequest, TextDelta, ToolCall
from serving.demand import Demand
from serving.host import EngineHost, Engines
from tests.caption_room import CaptionRoom
from tests.scripted import (
    Answer,
    ScriptedInterruption,
    ScriptedLlm,
    ScriptedReply,
    ScriptedStt,
    ScriptedTts,
    ScriptedTurn,
    ScriptedVad,
    Sounds,
    noise,
    tokens,
)
from tests.virtual_room import FRAME_S, HeardWord, Loudspeaker, Microphone, RoomOutput, heard

STOCK_LINES = {
    "greeting": "welcome to the clinic",
    "not_heard": "please say it again",
    "technical_apology": "sorry there is a problem",
    "technical_goodbye": "sorry please call later",
}
JOB_ID = "AJ_conversation"
PARKING = "you can park behind the building and it is free for everyone who comes to see us"
"""What the agent says unless a test gives it something else: 17 words in one piece, 5.4 s long."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """When the caller said something, in loop time."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """A message of the history."""

    role: str
    text: str
    interrupted: bool = False


@dataclass(slots=True)
class Talk:
    """One conversation, and everything there is to see of it."""

    box: Box
    dialogue: Dialogue
    stt: ScriptedStt
    turn: ScriptedTurn
    llm: ScriptedLlm
    tts: ScriptedTts
    interruption: ScriptedInterruption | None
    sounds: Sounds
    demand: Demand
    room: CaptionRoom = field(default_factory=CaptionRoom)
    microphone: Microphone = field(default_factory=Microphone)
    loudspeaker: Loudspeaker = field(default_factory=Loudspeaker)
    states: list[tuple[float, str]] = field(default_factory=list)
    """The agent's states, each with the loop time it began."""
    engine_failures: int = 0
    hung_up_at: float | None = None

    # what the caller does

    def say(self, text: str, *, at: float = 0.0, ends_turn: bool = True) -> Spoken:
        """Speak at the beginning of the next frame, or of the first one from loop time `at` on."""
        return self._play(self.sounds.speech(text, ends_turn=ends_turn), at)

    def make_noise(self, duration_s: float, *, at: float = 0.0) -> Spoken:
        """Make a sound without words."""
        return self._play(noise(duration_s), at)

    def _play(self, samples: Pcm16, at: float) -> Spoken:
        start = self.microphone.next_frame(at)
        self.microphone.play(samples, at=start)
        return Spoken(start, start + len(samples) / SPEECH_RATE)

    async def end_interruption_service(self) -> None:
        """LiveKit loses the server that it asks about overlaps."""
        assert self.box.interruptions is not None
        await self.box.interruptions.aclose()

    # what can be seen

    @property
    def replies(self) -> list[ScriptedReply]:
        """Every reply that was asked of the language model."""
        return self.llm.replies

    @property
    def history(self) -> list[Remembered]:
        """What the agent remembers, without its instructions."""
        return [
            Remembered(message.role, message.text_content or "", message.interrupted)
            for message in self.dialogue.session.history.messages()
            if message.role != "system"
        ]

    def heard(self, *, since: float = 0.0) -> list[HeardWord]:
        """What came out of the caller's loudspeaker from a moment on."""
        return [word for word in heard(self.sounds, self.loudspeaker) if word.at >= since - 1e-6]

    def heard_text(self, *, since: float = 0.0) -> str:
        """The words of which at least half came out, once each."""
        return " ".join(word.text for word in self.heard(since=since) if word.share >= 0.5)

    def agent_spoke_at(self, since: float) -> float:
        """When the agent's next sound began. Raises IndexError if there was none."""
        return self.heard(since=since)[0].at

    def tool_calls(self) -> list[FunctionCall]:
        """Tool calls in the history."""
        return [item for item in self.dialogue.session.history.items if isinstance(item, FunctionCall)]

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> None:
        """Wait. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - polling costs nothing in virtual time
                await asyncio.sleep(FRAME_S / 4)

    async def quiet(self, seconds: float = 2.0) -> None:
        """Wait until neither side has made a sound for so long."""
        last = now()
        while now() - last < seconds:
            await asyncio.sleep(FRAME_S)
            if self.loudspeaker.queued_duration > 0 or (
                self.microphone.is_playing and not self.dialogue.ended.is_set()
            ):
                last = now()


def now() -> float:
    """Loop time, seconds."""
    return asyncio.get_running_loop().time()


def always(text: str) -> Answer:
    """A model that always says the same."""
    return lambda request: tokens(text)


def by_words(answers: dict[str, str | ToolCall]) -> Answer:
    """A model that goes by the caller's last words, or, after a tool, by "tool"; else it says PARKING."""

    def answer(request: ChatRequest) -> list[TextDelta | ToolCall]:
        last = request.messages[-1]
        key = "tool" if last.role == "tool" else last.text
        found = answers.get(key, PARKING)
        return [found] if isinstance(found, ToolCall) else list(tokens(found))

    return answer


@asynccontextmanager
async def conversation(
    answer: Answer | None = None,
    *,
    turns: dict[str, Any] | None = None,
    greeted: bool = True,
    has_interruption: bool = False,
) -> AsyncIterator[Talk]:
    """A call that has begun; with `greeted` the greeting is over, with `has_interruption` a model judges overlaps."""
    sounds = Sounds()
    scripted_llm = ScriptedLlm(answer or always(PARKING), ttft_s=0.05, token_s=0.002)
    engines = Engines(
        vad=ScriptedVad(),
        stt=ScriptedStt(sounds),
        turn=ScriptedTurn(sounds),
        llm=scripted_llm,
        tts=ScriptedTts(sounds),
        interruption=ScriptedInterruption(sounds) if has_interruption else None,
    )
    box = _box(engines, turns or {})
    await prepare(box)
    room = CaptionRoom()
    captions = Captions(room.as_room())
    talk: Talk

    def engine_failed() -> None:
        talk.engine_failures += 1

    def hang_up() -> None:
        talk.hung_up_at = now()

    async with _overlaps_served(box) as judging:
        dialogue = Dialogue(box, captions, Surroundings(lambda: "caller", engine_failed, hang_up))
        talk = Talk(
            box,
            dialogue,
            engines.stt,  # type: ignore[arg-type]
            engines.turn,  # type: ignore[arg-type]
            scripted_llm,
            engines.tts,  # type: ignore[arg-type]
            engines.interruption,  # type: ignore[arg-type]
            sounds,
            box.demand,
            room,
        )
        judging(dialogue)
        await _start(talk)
        if greeted:
            await talk.quiet(0.5)
        try:
            yield talk
        finally:
            dialogue.close()
            await dialogue.session.aclose()
            await captions.aclose()


@asynccontextmanager
async def _overlaps_served(box: Box) -> AsyncIterator[Callable[[Dialogue], None]]:
    """The worker's interruption server, if the box has an engine for it, on a real socket: the clock waits for its bytes."""
    if box.host.engines.interruption is None:
        yield lambda dialogue: None
        return
    keys = Keys(livekit_url="ws://127.0.0.1", api_key="key", api_secret=secrets.token_urlsafe())
    box.interruptions = InterruptionServer(keys)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv(INFERENCE_URL, await box.interruptions.start())
        patch.setenv("LIVEKIT_API_KEY", keys.api_key)
        patch.setenv("LIVEKIT_API_SECRET", keys.api_secret)
        patch.setattr(interruption, "get_inference_headers", lambda: {HEADER_JOB_ID: JOB_ID})
        patch.setattr(interruption, "perf_counter_ns", lambda: int(time.perf_counter() * 1e9))
        stack.push_async_callback(box.interruptions.aclose)
        await stack.enter_async_context(http_context.open())

        def judging(dialogue: Dialogue) -> None:
            assert box.interruptions is not None
            assert dialogue.overlaps is not None
            stack.enter_context(box.interruptions.judging(JOB_ID, dialogue.overlaps.judge))

        yield judging


def _box(engines: Engines, turns: dict[str, Any]) -> Box:
    choice = {"engine": "scripted", "model": "none"}
    settings = Settings.model_validate(
        {"profile": "scripted", "engines": {"stt": choice, "llm": choice, "tts": choice}, "turns": turns}
    )
    return Box(
        settings=settings,
        host=EngineHost(engines),
        clinic=demo_clinic(load_facts(ROOT / "configs" / "clinic.yaml")),
        instructions="You are the front desk.",
        stock_lines=STOCK_LINES,
        gate=CapacityGate(1),
        stock={},
    )


async def _start(talk: Talk) -> None:
    session = talk.dialogue.session

    def note_state(event: events.AgentStateChangedEvent) -> None:
        talk.states.append((now(), event.new_state))

    session.on("agent_state_changed", note_state)
    session.input.audio = talk.microphone
    session.output.audio = RoomOutput(talk.loudspeaker)
    await session.start(talk.dialogue.front_desk(), record=False)
    talk.dialogue.greet()
