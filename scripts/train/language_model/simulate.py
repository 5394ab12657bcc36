"""Whole simulated calls: a caller with a goal, the rule-based desk, the clinic's systems and a recogniser's errors.

python -m scripts.train.language_model.simulate [SEED]   prints three calls and statistics of 3,000
"""

import collections
import json
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scripts.train.language_model import desk_hearing, desk_results
from scripts.train.language_model.backend import Backend
from scripts.train.language_model.caller import Caller
from scripts.train.language_model.desk import Desk
from scripts.train.language_model.domain import Facts, Lex, random_facts
from scripts.train.language_model.frames import Call, Frame, Move, Say
from scripts.train.language_model.openings import opening
from scripts.train.language_model.phrases import AGENT
from scripts.train.language_model.prompts import front_desk_prompt
from scripts.train.language_model.reactions import LastCall, react
from scripts.train.language_model.recognition_errors import RATES, asr_noise
from scripts.train.language_model.replies import ReplyClass, classify, voice_ok

GREETED = 0.6
MAX_TURNS = 30

Mishear = Callable[[str, random.Random, float], str]


class Message(NamedTuple):
    """One message of a call."""

    role: str
    """user, assistant or ipython (a tool's result)."""
    text: str
    label: Frame | ReplyClass | None
    """What the caller means, or what kind of reply it is."""


class Snapshot(NamedTuple):
    """What can be said about a call after some of its messages."""

    messages: int
    summary: str
    handoff: str


@dataclass(slots=True)
class Dialogue:
    """One call."""

    messages: list[Message] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    """One after each reply of the agent."""


def dialogue(lex: Lex, facts: Facts, *, mishear: Mishear = asr_noise) -> Dialogue:
    """One call to the clinic described by `facts`, from the first word to the last."""
    rng = lex.rng
    desk, caller, backend = Desk(rng, facts), Caller(lex, facts), Backend(lex, facts)
    call = Dialogue()
    is_greeted = lex.chance(GREETED)
    if is_greeted:
        desk.said = lex.choose(AGENT["greetings"]).format(clinic=facts["clinic"])
        call.messages.append(Message("assistant", desk.said, ("greet", "help")))
    turn, last = opening(caller, is_greeted=is_greeted), None
    for _ in range(MAX_TURNS):
        text, frame = turn
        call.messages.append(Message("user", mishear(text, rng, rng.choice(RATES)), frame))
        last = _answer(call, desk, backend, desk_hearing.hear(desk, frame)) or last
        reply = classify(desk.said)
        call.messages.append(Message("assistant", desk.said, reply))
        summary, handoff = desk.notes.summary(desk.name), desk.notes.handoff(desk.name)
        call.snapshots.append(Snapshot(len(call.messages), summary, handoff))
        next_turn = react(caller, reply, desk.said, last)
        if next_turn is None or desk.over:
            break
        turn = next_turn
    return call


def _answer(call: Dialogue, desk: Desk, backend: Backend, move: Move) -> LastCall | None:
    """Let the desk speak, after a tool call if it makes one; returns that call."""
    if isinstance(move, Say):
        desk.said = move.text
        return None
    call.messages.append(Message("assistant", call_text(move), ("tool", move.name)))
    result = backend.call(move.name, move.arguments)
    call.messages.append(Message("ipython", json.dumps(result), None))
    desk.said = desk_results.answer(desk, result).text
    return move.name, move.arguments, result


def call_text(call: Call) -> str:
    """A tool call as the model writes it."""
    return json.dumps({"name": call.name, "parameters": call.arguments})


def transcript(messages: Iterable[Sequence[Any]]) -> str:
    """The spoken part of a call, as the summary prompt gets it: a line `Caller: ...` or `Agent: ...` per message."""
    lines = []
    for role, text, *_ in messages:
        if role == "user":
            lines.append(f"Caller: {text}")
        elif role == "assistant" and not text.startswith("{"):
            lines.append(f"Agent: {text}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Show three calls, then check that every reply in 3,000 can be spoken."""
    seed = next(iter(arguments if arguments is not None else sys.argv[1:]), "0")
    lex = Lex(random.Random(int(seed)))
    for _ in range(3):
        facts = random_facts(lex)
        call = dialogue(lex, facts)
        print("\n" + front_desk_prompt(facts)[-330:])
        for message in call.messages:
            print(f"{message.role:>10}: {message.text}")
        print("summary:", call.snapshots[-1].summary)
        print("handoff:", call.snapshots[-1].handoff)
    calls = [dialogue(lex, random_facts(lex)) for _ in range(3000)]
    replies = [message for call in calls for message in call.messages if message.role == "assistant"]
    unspeakable = [reply.text for reply in replies if not reply.text.startswith("{") and not voice_ok(reply.text)]
    print(f"{sum(len(call.messages) for call in calls) / len(calls):.1f} messages a call")
    print(f"{len(unspeakable)} replies cannot be spoken {unspeakable[:10]}")
    print(collections.Counter(reply.label for reply in replies).most_common())


if __name__ == "__main__":
    main()
