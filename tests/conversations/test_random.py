"""Invariants over hundreds of calls whose callers pause, barge in, backchannel and make noise at random."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from livekit.agents import llm

from agent.adapters.captions import TOOL_TOPIC
from agent.turns.barge_in import MURMURS
from serving import metrics
from serving.chat import ChatRequest, Priority, TextDelta, ToolCall
from tests.conversations.talk import PHRASES, Talk, conversation, now
from tests.scripted import WORD_S, tokens
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

SEEDS = 200
WORDS = (
    "book",
    "cancel",
    "visit",
    "tuesday",
    "doctor",
    "chen",
    "parking",
    "lab",
    "morning",
    "friday",
    "results",
    "name",
    "refill",
)
"""Neither backchannels nor stop words: their number alone decides what they do."""
NAMES = ("none", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo")
"""An answer opens with the number of turns so far."""
SETTLED_S = 3.0
MIN_SHARE = 0.5
"""A word is remembered once half of it was heard."""


@dataclass(slots=True)
class Course:
    """What a caller did in one call."""

    words: list[str] = field(default_factory=list)
    """Every word that needs an answer, in order."""


async def call(talk: Talk, rng: random.Random) -> Course:
    """A few turns of random shape."""
    course = Course()
    for turn in range(rng.randint(2, 4)):
        await one_turn(talk, rng, course, turn)
        match rng.randrange(6):
            case 0:  # barges in on the answer
                await wait_for_voice(talk)
                await pause(rng, 0.2, 3.0)
            case 1:  # backchannels early enough to finish before the answer does
                await wait_for_voice(talk)
                talk.say(rng.choice(sorted(MURMURS)), at=now() + rng.uniform(0.0, 0.5))
                await talk.quiet(SETTLED_S)
            case 2:  # makes a noise at any time
                talk.make_noise(rng.choice([0.1, 0.3, 0.8, 2.0]), at=now() + rng.uniform(0.0, 3.0))
                await talk.quiet(SETTLED_S)
            case 3:  # continues, or says something else, when the turn may already be over
                await pause(rng, 0.1, 1.5)
            case _:
                await talk.quiet(SETTLED_S)
    await talk.quiet(SETTLED_S)
    return course


async def one_turn(talk: Talk, rng: random.Random, course: Course, turn: int) -> None:
    """One to three parts with pauses between them. Every part contains a number that is used only once."""
    parts = rng.randint(1, 3)
    for part in range(parts):
        text = [f"item{turn}{part}", *rng.choices(WORDS, k=rng.randint(1, 5))]
        line = talk.say(" ".join(text), ends_turn=part == parts - 1)
        course.words += text
        await wait_until(line.end)
        if part < parts - 1:
            await pause(rng, 0.1, 0.9)


async def wait_for_voice(talk: Talk) -> None:
    began = now()
    await talk.until(lambda: talk.loudspeaker.queued_duration > 0 or now() > began + SETTLED_S)


async def pause(rng: random.Random, least_s: float, most_s: float) -> None:
    await wait_until(now() + rng.uniform(least_s, most_s))


async def wait_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - now()))


def answer(request: ChatRequest) -> Sequence[TextDelta | ToolCall]:
    """An answer that says which turn it answers; a turn with "refill" in it is answered through a tool."""
    turns = [message.text for message in request.messages if message.role == "user"]
    if "refill" in turns[-1] and request.messages[-1].role == "user":
        return [ToolCall(f"call_{len(request.messages)}", "request_refill", "{}")]
    return tokens(answer_text(NAMES[len(turns)]))


def answer_text(name: str) -> str:
    """An answer of several seconds, in two pieces."""
    return f"{name} to what you said is that we are open all day. please come and see us whenever you like"


@pytest.mark.parametrize("seed", range(SEEDS))
@in_virtual_time
async def test_invariants_hold_in_every_call(seed: int) -> None:
    rng = random.Random(seed)
    most = rng.choice([0, 1, 2, 3, 3, 3])
    wasted = counted("reply_audio_seconds", "use", "wasted"), counted("speculations", "outcome", "thrown_away")
    async with conversation(
        answer, turns={"speculation": {"max_per_turn": most}}, has_interruption=seed % 2 == 1
    ) as talk:
        talk.llm.ttft_s = rng.choice([0.05, 0.3, 1.0])
        talk.stt.decode_s = rng.choice([0.02, 0.05, 0.3])
        talk.tts.piece_s = rng.choice([0.02, 0.1, 0.5])
        course = await call(talk, rng)
        check_history_has_every_word(talk, course)
        check_every_turn_has_one_answer(talk)
        check_agent_remembers_what_was_heard(talk)
        check_tools_ran_once_for_a_turn(talk)
        check_nothing_is_left_open(talk)
    check_little_was_thrown_away(talk, most, wasted)


def test_a_call_is_deterministic() -> None:
    courses: list[list[object]] = []

    @in_virtual_time
    async def once() -> None:
        async with conversation(answer) as talk:
            await call(talk, random.Random(7))
            courses.append([talk.history, talk.heard(), talk.states, [reply.opened_at for reply in talk.replies]])

    for _ in range(3):
        once()
    assert courses[0] == courses[1] == courses[2]


def check_history_has_every_word(talk: Talk, course: Course) -> None:
    remembered = [word for message in talk.history if message.role == "user" for word in message.text.split()]
    assert [word for word in remembered if word not in MURMURS] == course.words


def check_every_turn_has_one_answer(talk: Talk) -> None:
    """Every turn has one answer, except those talked over in their first word; no answer comes without a turn."""
    roles = [message.role[0] for message in talk.history if message.text not in PHRASES.values()]
    assert "aa" not in "".join(roles)
    assert roles[-1] == "a"
    begun = [word.text for word in talk.heard() if word.text in NAMES and word.share >= 0.5]
    assert begun == sorted(set(begun), key=NAMES.index)


def check_agent_remembers_what_was_heard(talk: Talk) -> None:
    """The agent's messages are the words that came out of the loudspeaker; an interrupted one is a prefix of its full text."""
    messages = [message for message in talk.history if message.role == "assistant"]
    for message in messages:
        if message.text not in PHRASES.values() and message.text:
            full = answer_text(message.text.split()[0])
            assert full.startswith(message.text)
            assert message.interrupted == (message.text != full)
    expected = " ".join(message.text for message in messages).split()
    for word, share in heard_words(talk):
        if expected[:1] == [word] and share >= MIN_SHARE - 1e-6:
            expected.pop(0)
        else:
            assert share < 0.5 + 1e-6
    assert expected == []


def heard_words(talk: Talk) -> list[tuple[str, float]]:
    """The words heard, each with its share. A word that a pause cut off is repeated and counts once."""
    words: list[tuple[str, float]] = []
    for word in talk.heard():
        if words and words[-1][0] == word.text and words[-1][1] < 1.0:
            words[-1] = (word.text, max(words[-1][1], word.share))
        else:
            words.append((word.text, word.share))
    return words


def check_tools_ran_once_for_a_turn(talk: Talk) -> None:
    """Every tool that ran is remembered with its result, and none ran twice for one turn."""
    reported = [sent for sent in talk.room.sent if sent.topic == TOOL_TOPIC]
    assert len(reported) == len(talk.tool_calls())
    turns: list[int] = []
    for at, item in enumerate(talk.session.livekit.history.items):
        if isinstance(item, llm.FunctionCall):
            before = [i for i, other in enumerate(talk.session.livekit.history.items[:at]) if is_user(other)]
            turns.append(before[-1])
            results = talk.session.livekit.history.items[at:]
            assert any(isinstance(other, llm.FunctionCallOutput) and other.call_id == item.call_id for other in results)
    assert len(turns) == len(set(turns))


def check_little_was_thrown_away(talk: Talk, most: int, before: tuple[float, float]) -> None:
    """At most the first piece of each discarded reply was synthesized, and no turn had more replies than allowed."""
    audio_s = counted("reply_audio_seconds", "use", "wasted") - before[0]
    replies = counted("speculations", "outcome", "thrown_away") - before[1]
    first_piece = answer_text("alpha").split(". ")[0]
    assert audio_s <= replies * len(first_piece.split()) * WORD_S + 1e-6
    turns = Counter(
        sum(message.role == "user" for message in reply.request.messages)
        for reply in talk.replies
        if reply.request.priority is Priority.SPECULATIVE
    )
    assert all(begun <= most for begun in turns.values())
    assert replies <= sum(turns.values())
    assert talk.demand.computing == 0


def counted(name: str, label: str, value: str) -> float:
    """A counter of the registry."""
    return metrics.REGISTRY.get_sample_value(f"callbox_{name}_total", {label: value}) or 0.0


def is_user(item: llm.ChatItem) -> bool:
    return isinstance(item, llm.ChatMessage) and item.role == "user"


def check_nothing_is_left_open(talk: Talk) -> None:
    assert all(reply.closed_at is not None for reply in talk.replies)
    assert talk.engine_failures == 0
    assert talk.hung_up_at is None
