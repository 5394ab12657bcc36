"""A whole conversation without a room: the product's dialogue on scripted engines, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from livekit.agents.llm import FunctionCall
from livekit.agents.voice import events

from agent.box import Box, prepare
from agent.captions import Captions
from agent.clinic.book import Clinic
from agent.clinic.facts import load_facts
from agent.dialogue import Dialogue, Surroundings
from agent.settings import ROOT, Settings
from serving.audio import SPEECH_RATE, Pcm16
from serving.capacity import CapacityGate
from serving.chat import ChatRequest, TextDelta, ToolCall
from serving.demand import Demand
from serving.host import EngineHost, Engines
from tests.caption_room import CaptionRoom
from tests.scripted import (
    Answer,
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

    dialogue: Dialogue
    stt: ScriptedStt
    turn: ScriptedTurn
    llm: ScriptedLlm
    tts: ScriptedTts
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
    answer: Answer | None = None, *, turns: dict[str, Any] | None = None, greeted: bool = True
) -> AsyncIterator[Talk]:
    """A call that has begun; with `greeted` the greeting is over."""
    sounds = Sounds()
    scripted_llm = ScriptedLlm(answer or always(PARKING), ttft_s=0.05, token_s=0.002)
    engines = Engines(
        vad=ScriptedVad(),
        stt=ScriptedStt(sounds),
        turn=ScriptedTurn(sounds),
        llm=scripted_llm,
        tts=ScriptedTts(sounds),
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

    dialogue = Dialogue(box, captions, Surroundings(lambda: "caller", engine_failed, hang_up))
    talk = Talk(dialogue, engines.stt, engines.turn, scripted_llm, engines.tts, sounds, box.demand, room)  # type: ignore[arg-type]
    await _start(talk)
    if greeted:
        await talk.quiet(0.5)
    try:
        yield talk
    finally:
        dialogue.close()
        await dialogue.session.aclose()
        await captions.aclose()


def _box(engines: Engines, turns: dict[str, Any]) -> Box:
    choice = {"engine": "scripted", "model": "none"}
    settings = Settings.model_validate(
        {"profile": "scripted", "engines": {"stt": choice, "llm": choice, "tts": choice}, "turns": turns}
    )
    return Box(
        settings=settings,
        host=EngineHost(engines),
        clinic=Clinic(load_facts(ROOT / "configs" / "clinic.yaml")),
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
