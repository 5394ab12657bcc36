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
from livekit.agents.voice import events as livekit_events

from agent.adapters.captions import Captions
from agent.adapters.interruption_server import InterruptionServer
from agent.call.call_metrics import CallMetrics
from agent.call.dialogue import Dialogue
from agent.call.events import CallBegan, CallEnded, CallEvent, EngineFailed, ParticipantJoined, Payload
from agent.call.resources import CallResources, prepare
from agent.call.session import CallSession
from agent.call.spoken import Spoken as SpokenWords
from agent.call.stream import EventStream
from agent.call.turn_figures import TurnRecorder
from agent.operate.offline import INFERENCE_URL
from agent.settings import Keys
from serving.audio import SPEECH_RATE, Pcm16
from serving.chat import ChatRequest, TextDelta, ToolCall
from serving.demand import Demand
from serving.host import Engines
from tests.call_resources import call_resources
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

PHRASES = {
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
    """A message in the history."""

    role: str
    text: str
    interrupted: bool = False


@dataclass(slots=True)
class Talk:
    """One conversation, and everything that can be observed of it."""

    resources: CallResources
    events: EventStream
    session: CallSession
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
    """The agent's states, each with the loop time at which it began."""
    published: list[CallEvent[Payload]] = field(default_factory=list)
    """The call's events so far."""
    hung_up_at: float | None = None

    @property
    def engine_failures(self) -> int:
        """How many engine failures the call has had."""
        return sum(isinstance(event.payload, EngineFailed) for event in self.published)

    # what the caller does

    def say(self, text: str, *, at: float = 0.0, ends_turn: bool = True) -> Spoken:
        """Speak from the start of the next frame, or of the first one at or after loop time `at`."""
        return self._play(self.sounds.speech(text, ends_turn=ends_turn), at)

    def make_noise(self, duration_s: float, *, at: float = 0.0) -> Spoken:
        """Make a sound without words, timed as in `say`."""
        return self._play(noise(duration_s), at)

    def _play(self, samples: Pcm16, at: float) -> Spoken:
        start = self.microphone.next_frame(at)
        self.microphone.play(samples, at=start)
        return Spoken(start, start + len(samples) / SPEECH_RATE)

    async def end_interruption_service(self) -> None:
        """Stop the server that judges overlaps for LiveKit."""
        assert self.resources.interruptions is not None
        await self.resources.interruptions.aclose()

    # what can be observed

    @property
    def replies(self) -> list[ScriptedReply]:
        """Every reply requested from the language model."""
        return self.llm.replies

    @property
    def history(self) -> list[Remembered]:
        """What the agent remembers, without its instructions."""
        return [
            Remembered(message.role, message.text_content or "", message.interrupted)
            for message in self.session.livekit.history.messages()
            if message.role != "system"
        ]

    def heard(self, *, since: float = 0.0) -> list[HeardWord]:
        """The words that came out of the caller's loudspeaker since a moment."""
        return [word for word in heard(self.sounds, self.loudspeaker) if word.at >= since - 1e-6]

    def heard_text(self, *, since: float = 0.0) -> str:
        """The words that came out at least by half, once each."""
        return " ".join(word.text for word in self.heard(since=since) if word.share >= 0.5)

    def agent_spoke_at(self, since: float) -> float:
        """When the agent's first sound since then began. Raises IndexError if there was none."""
        return self.heard(since=since)[0].at

    def tool_calls(self) -> list[FunctionCall]:
        """Tool calls in the history."""
        return [item for item in self.session.livekit.history.items if isinstance(item, FunctionCall)]

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> None:
        """Wait until the condition holds. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - polling costs nothing in virtual time
                await asyncio.sleep(FRAME_S / 4)

    async def quiet(self, seconds: float = 2.0) -> None:
        """Wait until neither side has made a sound for this long."""
        last = now()
        while now() - last < seconds:
            await asyncio.sleep(FRAME_S)
            if self.loudspeaker.queued_duration > 0 or (self.microphone.is_playing and not self.session.ended.is_set()):
                last = now()


def now() -> float:
    """Loop time, seconds."""
    return asyncio.get_running_loop().time()


def always(text: str) -> Answer:
    """A model that always says the same thing."""
    return lambda request: tokens(text)


def by_words(answers: dict[str, str | ToolCall]) -> Answer:
    """A model that looks up its answer by the caller's last words, or by "tool" after a tool; otherwise it says PARKING."""

    def answer(request: ChatRequest) -> list[TextDelta | ToolCall]:
        last = request.messages[-1]
        key = "tool" if last.role == "tool" else last.text
        found = answers.get(key, PARKING)
        return [found] if isinstance(found, ToolCall) else list(tokens(found))

    return answer


def _engines(sounds: Sounds, answer: Answer | None, turns: dict[str, Any], *, has_interruption: bool) -> Engines:
    is_judged = turns.get("detection", "engine") == "engine"
    return Engines(
        vad=ScriptedVad(),
        stt=ScriptedStt(sounds),
        turn=ScriptedTurn(sounds) if is_judged else None,
        llm=ScriptedLlm(answer or always(PARKING), ttft_s=0.05, token_s=0.002),
        tts=ScriptedTts(sounds),
        interruption=ScriptedInterruption(sounds) if has_interruption else None,
    )


@asynccontextmanager
async def conversation(
    answer: Answer | None = None,
    *,
    turns: dict[str, Any] | None = None,
    greeted: bool = True,
    has_interruption: bool = False,
) -> AsyncIterator[Talk]:
    """Start a call. With `greeted`, the greeting is over; with `has_interruption`, a model judges overlaps."""
    sounds = Sounds()
    engines = _engines(sounds, answer, turns or {}, has_interruption=has_interruption)
    resources = call_resources(engines, phrase_texts=PHRASES, turns=turns or {})
    await prepare(resources)
    events = EventStream(JOB_ID, asyncio.get_running_loop())
    async with _overlaps_served(resources) as judging:
        session = CallSession(resources, events)
        talk = Talk(
            resources,
            events,
            session,
            engines.stt,  # type: ignore[arg-type]
            engines.turn,  # type: ignore[arg-type]
            engines.llm,  # type: ignore[arg-type]
            engines.tts,  # type: ignore[arg-type]
            engines.interruption,  # type: ignore[arg-type]
            sounds,
            resources.demand,
        )
        Dialogue(events, Commands(talk), longest_turn_end_s=resources.settings.turns.endpointing.max_delay_s)
        _attach(talk)
        judging(session)
        await _start(talk)
        if greeted:
            await talk.quiet(0.5)
        try:
            yield talk
        finally:
            events.publish(CallEnded(session.end_reason))
            await session.livekit.aclose()
            await events.aclose()


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a Call, without its room."""

    talk: Talk

    def say(self, phrase: str, *, allow_interruptions: bool = True) -> str:
        """Say a stock phrase."""
        return self.talk.session.say(phrase, allow_interruptions=allow_interruptions)

    def interrupt(self) -> None:
        """Stop what is being said or prepared."""
        self.talk.session.interrupt()

    def hang_up(self) -> None:
        """End the call."""
        self.talk.hung_up_at = now()
        self.talk.session.shutdown()


def _attach(talk: Talk) -> None:
    """Attach what a Call attaches."""
    for attach in (CallMetrics, TurnRecorder):
        attach(talk.events)
    Captions(talk.room.as_room(), talk.events)

    async def note(event: CallEvent[Payload]) -> None:
        talk.published.append(event)

    talk.events.subscribe("test", note)


@asynccontextmanager
async def _overlaps_served(resources: CallResources) -> AsyncIterator[Callable[[CallSession], None]]:
    """Run the worker's interruption server if there is an engine for it. Its socket is real: the clock waits for its bytes."""
    if resources.host.engines.interruption is None:
        yield lambda session: None
        return
    keys = Keys(livekit_url="ws://127.0.0.1", api_key="key", api_secret=secrets.token_urlsafe())
    resources.interruptions = InterruptionServer(keys)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv(INFERENCE_URL, await resources.interruptions.start())
        patch.setenv("LIVEKIT_API_KEY", keys.api_key)
        patch.setenv("LIVEKIT_API_SECRET", keys.api_secret)
        patch.setattr(interruption, "get_inference_headers", lambda: {HEADER_JOB_ID: JOB_ID})
        patch.setattr(interruption, "perf_counter_ns", lambda: int(time.perf_counter() * 1e9))
        stack.push_async_callback(resources.interruptions.aclose)
        await stack.enter_async_context(http_context.open())

        def judging(session: CallSession) -> None:
            assert resources.interruptions is not None
            assert session.overlap is not None
            stack.enter_context(resources.interruptions.judging(JOB_ID, session.overlap.judge))

        yield judging


async def _start(talk: Talk) -> None:
    session = talk.session.livekit

    def note_state(event: livekit_events.AgentStateChangedEvent) -> None:
        talk.states.append((now(), event.new_state))

    session.on("agent_state_changed", note_state)
    session.input.audio = talk.microphone
    session.output.audio = RoomOutput(talk.loudspeaker)
    await talk.session.start()
    talk.events.publish(ParticipantJoined(SpokenWords("caller")))
    talk.events.publish(CallBegan())
