"""A caller's answer to each kind of question."""

import re
from collections.abc import Callable
from typing import Any

from scripts.train.language_model.caller import Caller
from scripts.train.language_model.digressions import digress
from scripts.train.language_model.domain import doctors_of
from scripts.train.language_model.frames import Frame, Utterance
from scripts.train.language_model.openings import open_task
from scripts.train.language_model.replies import ReplyClass

LastCall = tuple[str, dict[str, Any], dict[str, Any]]
"""The last tool call: name, arguments, result."""

DIGRESSES = 0.22
NOT_AFTER = ("emergency", "noinfo", "nobody")
NOT_INSTEAD_OF = ("transfer", "retry", "appt", "choice", "help")
GOAL_OF_QUESTION = {"from_day": "cancel", "to_day": "move", "medication": "refill", "test": "results"}
"""What a caller who is asked for this must want; otherwise, an appointment."""

SLOTS = ("reason", "doctor", "day", "time", *GOAL_OF_QUESTION)


def react(caller: Caller, reply: ReplyClass, text: str, last: LastCall | None) -> Utterance | None:
    """The next utterance after the agent has said `text`; None when the call is over.

    `last` is the last tool call, if there was one. Raises KeyError for an unknown question.
    """
    body, question = reply
    if body in ("bye", "transferring"):
        caller.done = True
        return None
    if caller.misheard and question != "else":
        slot, heard, said = caller.misheard
        if re.search(r"\b" + re.escape(heard) + r"\b", text.lower()):
            caller.misheard = None
            return caller.correct(slot, heard, said)
    question = caller.last_question if question == "-" else question
    caller.last_question = question
    is_distracted = body != "hold" and caller.digressions_left > 0 and caller.lex.chance(DIGRESSES)
    if is_distracted and body not in NOT_AFTER and question not in NOT_INSTEAD_OF:
        caller.digressions_left -= 1
        return digress(caller, question)
    return _answer(caller, (body, question), text, last)


def _answer(caller: Caller, reply: ReplyClass, text: str, last: LastCall | None) -> Utterance:
    question = reply[1]
    if question == "name":
        return caller.give("name")
    if question in SLOTS:
        return _give(caller, reply, text)
    if question == "confirm":
        return _confirm(caller, text)
    if question == "choice":
        return _choose(caller, last)
    if question in ("transfer", "appt"):
        return _offer(caller, reply)
    return _SIMPLE[question](caller, question)


def _open_or_leave(caller: Caller, question: str) -> Utterance:
    goal = caller.current
    if question == "else" and goal and goal["kind"] != "faq":
        caller.next_task()
    if caller.current is None and caller.tasks:
        caller.current = caller.tasks[0]
    if not caller.current:
        return caller.phrase("goodbyes"), Frame("bye")
    if question == "else" and caller.lex.chance(0.25):
        text, frame = open_task(caller)
        return f"{caller.phrase('also')} {text}", frame
    return open_task(caller)


def _give(caller: Caller, reply: ReplyClass, text: str) -> Utterance:
    body, question = reply
    if caller.current is None:
        caller.current = caller.make_goal(GOAL_OF_QUESTION.get(question, "book"))
    goal = caller.current
    if body == "unknown_doctor":
        goal["doctor"] = caller.lex.choose(doctors_of(caller.facts)) if caller.lex.chance(0.8) else "any"
    elif question in ("day", "to_day") and body == "ask" and question in caller.given and text.startswith("Okay."):
        goal[question] = caller.lex.day()
    return caller.give(question)


def _confirm(caller: Caller, text: str) -> Utterance:
    change = _change_of_mind(caller) if caller.current and caller.lex.chance(0.08) else None
    change = change or _first_wrong_fact(caller, text)
    if change:
        return change
    if caller.lex.chance(0.05):
        return caller.phrase("not_right"), Frame("deny")
    return caller.phrase("yes"), Frame("affirm")


def _change_of_mind(caller: Caller) -> Utterance | None:
    goal = caller.current or {}
    keys = ("day", "from_day", "to_day", "time", "doctor")
    key = caller.lex.choose([key for key in keys if goal.get(key) and goal[key] != "any"] or ["name"])
    if key == "name":
        return None
    new = {"doctor": caller.some_doctor, "time": caller.lex.time}.get(key, caller.lex.day)
    goal[key] = new()
    caller.misheard = None
    doctor = "doctor " if key == "doctor" else ""
    return caller.phrase("changes_of_mind").format(doctor, goal[key]), Frame("correct", {key: goal[key]})


def _first_wrong_fact(caller: Caller, text: str) -> Utterance | None:
    """A correction, if the agent's confirmation lacks something that was said (the trained model makes mistakes)."""
    if not caller.current or "Is that right" not in text:
        return None
    for key in ("doctor", "day", "from_day", "to_day", "time"):
        value = caller.current.get(key)
        if value and value != "any" and key in caller.given and value not in text.lower():
            return caller.correct(key, "that", value)
    return None


def _change(caller: Caller, question: str) -> Utterance:
    goal = caller.current or {}
    keys = ("day", "from_day", "to_day", "time")
    key = caller.lex.choose([key for key in keys if goal.get(key) and key in caller.given] or ["name"])
    if key == "name":
        caller.name = caller.lex.name()
        return f"my name is [{caller.name}]", Frame("correct", {"name": caller.name})
    goal[key] = caller.lex.time() if key == "time" else caller.lex.day()
    changes = caller.phrase("time_changes" if key == "time" else "day_changes")
    return changes.format(goal[key]), Frame("correct", {key: goal[key]})


def _choose(caller: Caller, last: LastCall | None) -> Utterance:
    options = _options(last[2] if last else {})
    if not options:
        return caller.phrase("no"), Frame("deny")
    if caller.lex.chance(0.08):
        return caller.phrase("neither"), Frame("deny")
    pick = caller.lex.choose([0, 1])
    chosen = options[pick]
    if caller.current:
        caller.current.update(chosen)
    caller.given |= set(chosen)
    caller.misheard = None
    if caller.lex.chance(0.2):
        return caller.phrase("the_second" if pick else "the_first"), Frame("choose", chosen, pick=pick)
    said = " ".join(f"at {value}" if key == "time" and len(chosen) > 1 else value for key, value in chosen.items())
    return caller.phrase("choices").format(said), Frame("choose", chosen)


def _options(result: dict[str, Any]) -> list[dict[str, str]]:
    if result.get("times"):
        return [{"time": time} for time in result["times"]]
    if result.get("next"):
        return [dict(zip(("day", "time"), place.split(" at "), strict=False)) for place in result["next"]]
    return [{"to_day": day} for day in result.get("days", [])]


def _retry(caller: Caller, question: str) -> Utterance:
    if caller.lex.chance(0.75):
        return caller.phrase("yes_to_an_offer"), Frame("affirm")
    return caller.phrase("no"), Frame("deny")


def _other_day(caller: Caller, question: str) -> Utterance:
    caller.current = caller.current or caller.make_goal("cancel")
    goal = caller.current
    if caller.lex.chance(0.3):
        caller.next_task()
        return caller.phrase("no_other_day"), Frame("nevermind")
    goal["from_day"] = caller.lex.day()
    return caller.give("from_day")


def _offer(caller: Caller, reply: ReplyClass) -> Utterance:
    """Accept or decline a transfer or an appointment."""
    body, question = reply
    if question == "transfer":
        if caller.lex.chance(0.6):
            caller.next_task(more=False)
            return caller.phrase("yes_to_an_offer"), Frame("affirm")
        if body in ("emergency", "not_found"):
            caller.next_task()
        return caller.phrase("no"), Frame("deny")
    goal = caller.current
    if goal is None or body == "advice" or goal["kind"] in ("refill", "results"):
        return _new_appointment(caller)
    if caller.lex.chance(0.9):
        goal["kind"] = "book"
        return caller.phrase("yes_to_an_offer"), Frame("affirm")
    caller.next_task()
    return caller.phrase("no"), Frame("deny")


def _new_appointment(caller: Caller) -> Utterance:
    if caller.lex.chance(0.5):
        caller.next_task()
        return caller.phrase("no"), Frame("deny")
    caller.current = caller.make_goal("book")
    caller.current.update(doctor=None, reason="@")  # the agent already knows the reason
    caller.tasks = [caller.current, *caller.tasks[1:]]
    caller.given = {"reason"}
    return caller.phrase("yes_to_an_offer"), Frame("affirm")


_SIMPLE: dict[str, Callable[[Caller, str], Utterance]] = {
    "help": _open_or_leave,
    "else": _open_or_leave,
    "change": _change,
    "retry": _retry,
    "other": _other_day,
}
