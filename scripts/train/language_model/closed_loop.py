"""Whole calls between simulated callers and the trained model (or the rule-based desk), and whether they succeed."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from scripts.train.language_model import desk_hearing, desk_results
from scripts.train.language_model.backend import Backend, Result
from scripts.train.language_model.caller import Caller, Goal
from scripts.train.language_model.desk import Desk
from scripts.train.language_model.domain import Facts, Lex, random_facts
from scripts.train.language_model.frames import Call, Frame, Move, Utterance
from scripts.train.language_model.openings import opening
from scripts.train.language_model.phrases import AGENT
from scripts.train.language_model.prompts import TOOLS, front_desk_prompt
from scripts.train.language_model.reactions import LastCall, react
from scripts.train.language_model.recognition_errors import asr_noise
from scripts.train.language_model.replies import classify, fact_answer, voice_ok
from scripts.train.language_model.simulate import call_text

MAX_REPLIES = 40
NOISE = 0.04
KNOWN_TOOLS = {tool["function"]["name"] for tool in TOOLS}
GOALS_WITH_TOOL = ("book", "avail", "cancel", "move", "refill", "results")
VISITS = ("book", "avail", "symptom")


def parse(text: str) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a tool call; None for anything else."""
    try:
        call = json.loads(text)
        return call["name"], call["parameters"]
    except (ValueError, KeyError, TypeError):
        return None


def expected(caller: Caller, tool: str) -> dict[str, Any] | None:
    """The arguments that the caller's current goal requires; None if it involves no such call."""
    goal: Goal = dict(caller.current or {})
    if goal and caller.misheard:  # misheard and not read back yet
        goal[caller.misheard[0]] = caller.misheard[1]
    kind, name = goal.get("kind"), caller.name
    if kind in VISITS and tool in ("check_availability", "book_appointment"):
        return _expected_visit(caller, goal, tool)
    if tool == "cancel_appointment" and kind == "cancel":
        return {"name": name, "day": goal["from_day"]}
    if tool == "reschedule_appointment" and kind == "move":
        return {"name": name, "from_day": goal["from_day"], "to_day": goal["to_day"]}
    if tool == "request_refill" and kind == "refill":
        return {"name": name, "medication": goal["medication"]}
    if tool == "check_results" and kind == "results":
        return {"name": name, "test": goal["test"]}
    return None


def _expected_visit(caller: Caller, goal: Goal, tool: str) -> dict[str, Any]:
    def said(slot: str, otherwise: str) -> Any:
        return goal[slot] if slot in caller.given and goal.get(slot) not in (None, "@") else otherwise

    doctor = said("doctor", "any")
    if tool == "check_availability":
        return {"day": goal["day"], "doctor": doctor}
    reason = "@" if goal.get("reason") == "@" else said("reason", "visit")
    return {"name": caller.name, "doctor": doctor, "day": goal["day"], "time": goal["time"], "reason": reason}


class LiveCall:
    """One call; `step` takes the agent's text."""

    def __init__(self, lex: Lex) -> None:
        """A clinic, a caller, the greeting and the caller's first words."""
        self._lex = lex
        self.facts: Facts = random_facts(lex)
        self._caller = Caller(lex, self.facts)
        self._backend = Backend(lex, self.facts)
        self.system = front_desk_prompt(self.facts)
        self.messages: list[tuple[str, str]] = []
        self.frame = Frame("greet")
        self.last: LastCall | None = None
        self.is_over = False
        self.errors: list[str] = []
        self.kinds = [goal["kind"] for goal in self._caller.tasks]
        self._goals = list(self._caller.tasks)
        self._done: set[int] = set()
        self._dropped: set[int] = set()
        self._due: str | None = None
        """What the next reply must contain."""
        self._replies = 0
        self._has_ended = False
        self.messages.append(("assistant", lex.choose(AGENT["greetings"]).format(clinic=self.facts["clinic"])))
        self._hear_caller(opening(self._caller, is_greeted=True))

    def step(self, text: str) -> None:
        """The agent says `text`, or calls a tool; then the caller or the tool answers."""
        self.messages.append(("assistant", text))
        self._replies += 1
        if self._due and self._due not in text:
            self.errors.append(f"expected '{self._due}' in '{text}'")
        self._due = None
        if text.startswith("{"):
            self._call_tool(text)
        elif self._replies > MAX_REPLIES:
            self.errors.append("too long")
            self.is_over = True
        else:
            self._react(text)

    def succeeded(self) -> bool:
        """Whether every goal was reached, except those the caller gave up, without a mistake."""
        if self.errors:
            return False
        caller, settled = self._caller, self._done | self._dropped
        for goal in self._goals:
            was_reached = goal in caller.tasks or goal is caller.current or not caller.done
            if goal["kind"] in GOALS_WITH_TOOL and id(goal) not in settled and was_reached:
                return False
        return caller.done or self._has_ended

    def _hear_caller(self, turn: Utterance | None) -> None:
        if turn is None:
            self.is_over = True
            return
        text, self.frame = turn
        self.messages.append(("user", asr_noise(text, self._lex.rng, NOISE)))
        act = self.frame.act
        dues = {"emergency": "emergency services", "human": "transfer_to_human"}
        self._due = fact_answer(self.frame.topic, self.facts) if act == "fact" else dues.get(act)
        if act in ("nevermind", "human", "emergency"):
            self._dropped |= {id(goal) for goal in self._goals}

    def _call_tool(self, text: str) -> None:
        call = parse(text)
        if call is None or call[0] not in KNOWN_TOOLS:
            self.errors.append("bad call " + text)
            self.is_over = True
            return
        name, arguments = call
        if name not in ("end_call", "transfer_to_human"):
            self._check_arguments(text, name, arguments)
        self._has_ended = self._has_ended or name == "end_call"
        result: Result = self._backend.call(name, arguments)
        self.last = (name, arguments, result)
        self.messages.append(("ipython", json.dumps(result)))

    def _check_arguments(self, text: str, name: str, arguments: dict[str, Any]) -> None:
        wanted = expected(self._caller, name)
        if wanted and wanted.get("reason") == "@":  # any words will do
            wanted["reason"] = arguments.get("reason")
        if wanted != arguments:
            self.errors.append(f"called {text}, wanted {wanted}")
        elif name != "check_availability":
            self._done.add(id(self._caller.current))

    def _react(self, text: str) -> None:
        if not voice_ok(text):
            self.errors.append("voice rules: " + text)
        goal = self._caller.current
        try:
            self._hear_caller(react(self._caller, classify(text), text, self.last))
        except KeyError:
            self.errors.append(f"reply not understood: {text}")
            self.is_over = True
        if goal is not None and self._caller.current is not goal and self.frame.act in ("deny", "nevermind"):
            self._dropped.add(id(goal))


def play(calls: Sequence[LiveCall], reply: Callable[[Sequence[LiveCall]], Sequence[str]]) -> None:
    """Play calls to the end, one step of each at a time; `reply` returns the agent's next words in each."""
    while live := [call for call in calls if not call.is_over]:
        for call, text in zip(live, reply(live), strict=True):
            call.step(text)


def play_with_desk(call: LiveCall, lex: Lex) -> None:
    """Play one call with the rule-based desk, which checks the simulation itself."""
    desk = Desk(lex.rng, call.facts)
    while not call.is_over:
        is_result = call.messages[-1][0] == "ipython" and call.last is not None
        move: Move
        if is_result and call.last:
            move = desk_results.answer(desk, call.last[2])
        else:
            move = desk_hearing.hear(desk, call.frame)
        if isinstance(move, Call):
            call.step(call_text(move))
        else:
            desk.said = move.text
            call.step(move.text)
