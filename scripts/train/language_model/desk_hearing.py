"""What the front desk does about each kind of utterance."""

from collections.abc import Callable

from scripts.train.language_model.desk import Desk
from scripts.train.language_model.desk_notes import Task
from scripts.train.language_model.domain import show_day, title
from scripts.train.language_model.frames import Call, Frame, Move, Say, Slots
from scripts.train.language_model.phrases import QUESTIONS
from scripts.train.language_model.replies import capital, fact_answer

ECHOED = 0.4
"""How often a single value is read back at once."""

MAX_REPEATED_WORDS = 23
PATIENCE = 1
"""Complaints before a transfer is offered."""

NO_ADVICE = "I cannot give medical advice, but a doctor can."
TOPICS = {"advice": "medication", "unknown": "the visit", "medical": "symptoms"}


def hear(desk: Desk, frame: Frame) -> Move:
    """The desk's next move. Raises KeyError for an act it does not know."""
    if frame.act in TOPICS:
        desk.notes.note_topic(TOPICS[frame.act])
    if frame.act in _REMARKS:
        return desk.ask_again(_REMARKS[frame.act])
    return _ACTS[frame.act](desk, frame)


def _greet(desk: Desk, frame: Frame) -> Move:
    return desk.ask("help", f"Hello, this is {desk.facts['clinic']}.")


def _intent(desk: Desk, frame: Frame) -> Move:
    desk.start(frame.kind, frame.slots)
    if frame.wants_times:
        desk.current.wants_times = True
    return desk.advance()


def _inform(desk: Desk, frame: Frame) -> Move:
    desk.fill(frame.slots)
    if not desk.task:
        return _thank(desk)
    if desk.question == "other":
        return desk.run_task()
    is_echoed = len(frame.slots) == 1 and desk.rng.random() < ECHOED
    return desk.advance(_echo(frame.slots) if is_echoed else None)


def _choose(desk: Desk, frame: Frame) -> Move:
    desk.fill(frame.slots if frame.pick is None else desk.alternatives[frame.pick])
    if not desk.task:
        return _thank(desk)
    if desk.task.is_ready or desk.question == "other":  # an alternative was chosen: book it
        return desk.run_task()
    desk.task.wants_times = False
    return desk.advance()


def _thank(desk: Desk) -> Move:
    return desk.ask("help", f"Thank you, {title(desk.name.split()[0])}." if desk.name else "Thank you.")


def _echo(slots: Slots) -> str | None:
    key, value = next(iter(slots.items()))
    if key in ("day", "from_day", "to_day"):
        return capital(show_day(value)) + "."
    if key == "name":
        return f"Thank you, {title(value.split()[0])}."
    if key == "doctor" and value != "any":
        return f"Doctor {title(value)}."
    return capital(value) + "." if key == "time" else None


def _correct(desk: Desk, frame: Frame) -> Move:
    slots = frame.slots
    desk.fill(slots)
    is_early = desk.question in ("choice", "time", "day")
    if "day" in slots and "time" not in slots and desk.task and desk.task.checked_day and is_early:
        desk.task.slots.pop("time", None)
    if desk.task and desk.question == "confirm":
        return desk.confirm()
    key, value = next(iter(slots.items()))
    shown = {"name": title(value), "doctor": f"Doctor {title(value)}"}.get(key, show_day(value))
    return desk.advance(f"Sorry, {shown}.") if desk.task else desk.ask_again(f"Sorry, {shown}.")


def _affirm(desk: Desk, frame: Frame) -> Move:
    if desk.question == "confirm":
        desk.current.is_ready = True
        return desk.run_task()
    if desk.question == "retry":
        return desk.call(desk.last_call.name, **desk.last_call.arguments)
    if desk.question == "transfer":
        return desk.transfer(str(desk.transfer_reason))
    if desk.question == "appt":
        desk.start("book", {"reason": desk.complaint})
        return desk.advance()
    return desk.ask("help", "Of course.", vary=False)


def _deny(desk: Desk, frame: Frame) -> Move:
    if desk.question == "confirm":
        return desk.ask("change", "I am sorry.")
    if desk.question == "else":
        return _bye(desk, frame)
    if desk.question == "retry":
        desk.transfer_reason = "system problem"
        return desk.transfer(desk.transfer_reason)
    if desk.question == "choice":
        return _ask_other_day(desk, desk.current)
    desk.task = None
    return desk.ask("else", "Okay.")


def _ask_other_day(desk: Desk, task: Task) -> Move:
    for key in ("day", "time"):
        task.slots.pop(key, None)
    task.checked_day = None
    task.wants_times = task.kind == "book"
    if task.kind == "move":
        task.slots.pop("to_day", None)
        return desk.ask("to_day", "Okay.")
    return desk.ask("day", "Okay.")


def _never_mind(desk: Desk, frame: Frame) -> Move:
    desk.drop()
    return desk.ask("else", "No problem.")


def _bye(desk: Desk, frame: Frame) -> Call:
    desk.over = True
    return desk.call("end_call")


def _fact(desk: Desk, frame: Frame) -> Move:
    desk.notes.note_topic(frame.topic)
    answer = fact_answer(frame.topic, desk.facts)
    return desk.ask("else", answer) if desk.question in ("else", "help") else desk.ask_again(answer)


def _symptom(desk: Desk, frame: Frame) -> Move:
    desk.complaint = frame.slots["reason"]
    desk.notes.tasks.append(Task("symptom", frame.slots))
    return desk.ask("appt", "I am sorry to hear that. I cannot give medical advice.")


def _emergency(desk: Desk, frame: Frame) -> Move:
    desk.transfer_reason = frame.slots["reason"]
    outcome = "The caller was told to call emergency services"
    desk.notes.tasks.append(Task("emergency", frame.slots, outcome=outcome))
    return desk.ask("transfer", "That may be an emergency. Please call emergency services now.")


def _human(desk: Desk, frame: Frame) -> Move:
    desk.notes.tasks.append(Task("human", frame.slots))
    return desk.transfer("caller asked for " + frame.slots["who"])


def _advice(desk: Desk, frame: Frame) -> Move:
    desk.complaint = "medication question"
    return desk.ask("appt", NO_ADVICE)


def _unknown(desk: Desk, frame: Frame) -> Move:
    desk.transfer_reason = "question about the visit"
    return desk.ask("transfer", "I do not have that information.")


def _frustrated(desk: Desk, frame: Frame) -> Move:
    desk.anger += 1
    if desk.anger > PATIENCE:
        desk.transfer_reason = "caller is frustrated"
        return desk.ask("transfer", "I am sorry about that.")
    return desk.ask_again("I am sorry about that.")


def _repeat(desk: Desk, frame: Frame) -> Move:
    has_room = len(desk.said.split()) <= MAX_REPEATED_WORDS and not desk.said.startswith("Of course.")
    return Say("Of course. " + desk.said if has_room else desk.said)


def _medical(desk: Desk, frame: Frame) -> Move:
    if desk.question not in ("help", "else"):
        return desk.ask_again("Please tell the doctor about that.")
    desk.complaint = "medical question"
    return desk.ask("appt", NO_ADVICE)


def _robot(desk: Desk, frame: Frame) -> Move:
    return desk.ask_again(f"I am the automated assistant of {desk.facts['clinic']}.")


_REMARKS = {
    "hear": "Yes, I can hear you.",
    "thanks": "You are welcome.",
    "smalltalk": "I am fine, thank you.",
    "ability": "I can book, move or cancel appointments.",
    "info": "Thank you, I do not need that.",
    "unsure": "That is fine.",
    "offtopic": "I can only help with the clinic.",
    "garbled": "Sorry, I did not catch that.",
}
_ACTS: dict[str, Callable[[Desk, Frame], Move]] = {
    "greet": _greet,
    "intent": _intent,
    "inform": _inform,
    "choose": _choose,
    "correct": _correct,
    "affirm": _affirm,
    "deny": _deny,
    "nevermind": _never_mind,
    "bye": _bye,
    "fact": _fact,
    "symptom": _symptom,
    "emergency": _emergency,
    "human": _human,
    "advice": _advice,
    "unknown": _unknown,
    "frustrated": _frustrated,
    "repeat": _repeat,
    "backchannel": lambda desk, frame: Say(QUESTIONS[desk.question][0]),
    "hold": lambda desk, frame: Say("Of course. Take your time."),
    "medical": _medical,
    "robot": _robot,
}
