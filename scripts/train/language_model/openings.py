"""The first words of a call, and of each goal."""

from collections.abc import Callable

from scripts.train.language_model.caller import Caller, Goal, takes_on
from scripts.train.language_model.digressions import digress
from scripts.train.language_model.frames import Frame, Slots, Utterance
from scripts.train.language_model.replies import on_day


def opening(caller: Caller, *, is_greeted: bool) -> Utterance:
    """The first utterance of a call."""
    lex = caller.lex
    if (not is_greeted and lex.chance(0.3)) or lex.chance(0.08):
        return caller.phrase("first_greetings"), Frame("greet")
    caller.current = caller.tasks[0]
    if lex.chance(0.04):
        text, frame = caller.give("name")
        caller.has_given_name = True
        return text.replace("yes ", ""), frame
    return digress(caller, "help") if lex.chance(0.05) else open_task(caller)


def open_task(caller: Caller) -> Utterance:
    """The first words about the current goal."""
    goal = caller.current
    if goal is None:
        raise ValueError("the caller has no goal")
    if goal["kind"] in _WHOLE:
        return _WHOLE[goal["kind"]](caller, goal)
    text, slots = _REQUESTS[goal["kind"]](caller, goal)
    if not caller.has_given_name and caller.lex.chance(0.2):
        text = _with_name(caller, text)
        slots["name"] = caller.name
    caller.given |= set(slots)
    filler, courtesy = caller.phrase("fillers"), caller.phrase("courtesies")
    text = (filler + " " if filler else "") + text + (" " + courtesy if courtesy else "")
    return text, Frame("intent", slots, kind=goal["kind"])


def _with_name(caller: Caller, text: str) -> str:
    order = caller.lex.choose(["{0} {1}", "{1} {0}"])
    introduction = caller.lex.choose([f"my name is [{caller.name}]", f"this is [{caller.name}]"])
    caller.has_given_name = True
    return order.format(introduction, text)


def _questions(caller: Caller, goal: Goal) -> Utterance:
    goal["questions"] -= 1
    if goal["questions"] <= 0:
        caller.next_task()
    return caller.ask_fact()


def _emergency(caller: Caller, goal: Goal) -> Utterance:
    reason = goal["reason"]
    caller.next_task(more=False)
    return caller.phrase("emergencies").format(reason), Frame("emergency", {"reason": reason})


def _human(caller: Caller, goal: Goal) -> Utterance:
    who = goal["who"]
    caller.next_task(more=False)
    return f"{caller.phrase('wants')} {caller.phrase('speak_to')} [{who}]", Frame("human", {"who": who})


def _symptom(caller: Caller, goal: Goal) -> Utterance:
    patient, duration = caller.phrase("patients"), caller.phrase("durations")
    first_word = goal["symptom"].split()[0]
    article = first_word if first_word in ("a", "an") else ""
    caller.given.add("reason")
    text = f"{patient} {article} [{goal['reason']}]" + (" " + duration if duration else "")
    return text, Frame("symptom", {"reason": goal["reason"]})


def _free_times(caller: Caller, goal: Goal) -> Utterance:
    lex, slots = caller.lex, Slots()
    if goal["doctor"] and lex.chance(0.3):
        text = f"is doctor [{goal['doctor']}] [{caller.phrase('doctor_is')}] {_on_day(caller, goal['day'])}"
        slots = {"doctor": goal["doctor"], "day": goal["day"]}
    else:
        text = caller.phrase("openings")
        if goal["doctor"] and lex.chance(0.6):
            text += f" with doctor [{goal['doctor']}]"
            slots["doctor"] = goal["doctor"]
        if lex.chance(0.8):
            text += f" {_on_day(caller, goal['day'])}"
            slots["day"] = goal["day"]
    caller.given |= set(slots)
    return text, Frame("intent", slots, kind="book", wants_times=True)


def _on_day(caller: Caller, day: str) -> str:
    preposition = "on " if takes_on(day) and caller.lex.chance(0.6) else ""
    return f"{preposition}[{day}]"


def _book(caller: Caller, goal: Goal) -> tuple[str, Slots]:
    lex, slots = caller.lex, Slots()
    text = f"{caller.phrase('wants')} {caller.phrase('book_verbs')} an [appointment]"
    if goal["doctor"] and lex.chance(0.45):
        text += f" with doctor [{goal['doctor']}]"
        slots["doctor"] = goal["doctor"]
    if goal["reason"] and lex.chance(0.4):
        text += f" for [{goal['reason']}]"
        slots["reason"] = goal["reason"]
    if lex.chance(0.4):
        preposition = lex.choose(["on ", "for ", ""]) if takes_on(goal["day"]) else ""
        text += f" {preposition}[{goal['day']}]"
        slots["day"] = goal["day"]
        if lex.chance(0.5):
            text += f" at [{goal['time']}]"
            slots["time"] = goal["time"]
    return text, slots


def _cancel(caller: Caller, goal: Goal) -> tuple[str, Slots]:
    text = f"{caller.phrase('wants')} [cancel] my [appointment]"
    if not caller.lex.chance(0.5):
        return text, {}
    day = goal["from_day"]
    return f"{text} {on_day(day).lower().replace(day, f'[{day}]')}", {"from_day": day}


def _move(caller: Caller, goal: Goal) -> tuple[str, Slots]:
    text = f"{caller.phrase('wants')} [{caller.phrase('move_verbs')}] my [appointment]"
    from_day, to_day = goal["from_day"], goal["to_day"]
    draw = caller.lex.rng.random()
    if draw < 0.35:
        return f"{text} from [{from_day}] to [{to_day}]", {"from_day": from_day, "to_day": to_day}
    if draw < 0.55:
        return f"{text} to [{to_day}]", {"to_day": to_day}
    return (f"{text} from [{from_day}]", {"from_day": from_day}) if draw < 0.7 else (text, {})


def _refill(caller: Caller, goal: Goal) -> tuple[str, Slots]:
    if not caller.lex.chance(0.75):
        return caller.phrase("unnamed_refills"), {}
    return caller.phrase("refills").format(goal["medication"]), {"medication": goal["medication"]}


def _results(caller: Caller, goal: Goal) -> tuple[str, Slots]:
    if not caller.lex.chance(0.75):
        return caller.phrase("unnamed_results"), {}
    return caller.phrase("results").format(goal["test"]), {"test": goal["test"]}


_WHOLE: dict[str, Callable[[Caller, Goal], Utterance]] = {
    "faq": _questions,
    "emergency": _emergency,
    "human": _human,
    "symptom": _symptom,
    "avail": _free_times,
}
_REQUESTS: dict[str, Callable[[Caller, Goal], tuple[str, Slots]]] = {
    "book": _book,
    "cancel": _cancel,
    "move": _move,
    "refill": _refill,
    "results": _results,
}
