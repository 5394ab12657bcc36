"""The rule-based front desk that the model learns from: it knows what the caller means and decides what to do."""

import random
from typing import Any

from scripts.train.language_model.desk_notes import Notes, Task
from scripts.train.language_model.domain import Facts, show_day, title
from scripts.train.language_model.frames import Call, Move, Say, Slots
from scripts.train.language_model.phrases import AGENT, QUESTIONS
from scripts.train.language_model.replies import MAX_WORDS, on_day

ACKNOWLEDGED = 0.6
NEEDED = {
    "cancel": ("from_day",),
    "move": ("from_day", "to_day"),
    "refill": ("medication",),
    "results": ("test",),
}


class Desk:
    """One call's state: the task, the last question, what is known about the caller.

    Its reactions to utterances are in desk_hearing.py, those to tool results in desk_results.py.
    """

    def __init__(self, rng: random.Random, facts: Facts) -> None:
        """Draws the wording from `rng`."""
        self.rng = rng
        self.facts = facts
        self.name: str | None = None
        self.task: Task | None = None
        self.question = "help"
        """The last one asked."""
        self.said = QUESTIONS["help"][0]
        """The last thing said; kept up to date by whoever runs the call."""
        self.anger = 0
        self.transfer_reason: str | None = None
        self.complaint: str | None = None
        """What an appointment would be for, if the caller wants one."""
        self.over = False
        self.alternatives: list[Slots] = []
        """What the caller was offered last."""
        self.last_call = Call("", {})
        self.notes = Notes()

    def slot(self, key: str) -> Any:
        """A value of the task; None if not known yet."""
        return self.current.slots.get(key)

    @property
    def current(self) -> Task:
        """The current task. Raises ValueError if there is none."""
        if self.task is None:
            raise ValueError("no task has begun")
        return self.task

    def ask(self, question: str, body: str = "", *, vary: bool = True) -> Say:
        """Ask a question, after `body`."""
        self.question = question
        wording = self.rng.choice(QUESTIONS[question]) if vary else QUESTIONS[question][0]
        return Say((body + " " + wording).strip())

    def ask_again(self, body: str) -> Say:
        """Repeat the last question, after `body`."""
        return Say(f"{body} {QUESTIONS[self.question][0]}")

    def call(self, tool: str, /, **arguments: Any) -> Call:
        """Call a tool."""
        self.last_call = Call(tool, arguments)
        return self.last_call

    def start(self, kind: str, slots: Slots) -> None:
        """Begin a task with what is known about it."""
        self.task = Task(kind)
        self.notes.tasks.append(self.task)
        self.fill(slots)

    def fill(self, slots: Slots) -> None:
        """Note values."""
        for key, value in slots.items():
            if key == "name":
                self.name = value
            elif self.task:
                self.task.slots[key] = value

    def drop(self) -> None:
        """The caller no longer wants the task."""
        if self.task and not self.task.outcome:
            self.task.outcome = "The caller changed their mind"
        self.task = None

    def advance(self, acknowledgement: str | None = None) -> Move:
        """Ask for the next missing value, or move on to the confirmation or the tool."""
        if acknowledgement is None:
            is_acknowledged = self.rng.random() < ACKNOWLEDGED
            acknowledgement = self.rng.choice(AGENT["acknowledgements"]) if is_acknowledged else ""
        if self.current.kind == "book":
            return self._advance_booking(acknowledgement)
        if not self.name:
            return self.ask("name", acknowledgement)
        for key in NEEDED[self.current.kind]:
            if not self.slot(key):
                return self.ask(key, acknowledgement)
        return self.run_task() if self.current.kind in ("refill", "results") else self.confirm()

    def _advance_booking(self, acknowledgement: str) -> Move:
        day, time = self.slot("day"), self.slot("time")
        if self.current.wants_times and day and not time:
            return self._check(acknowledgement)
        if self.current.wants_times and not day:
            return self.ask("day", acknowledgement)
        if not self.name:
            return self.ask("name", acknowledgement)
        if not self.slot("doctor") and not self.slot("reason"):
            return self.ask("reason", acknowledgement)
        if not day:
            return self.ask("day", acknowledgement)
        return self.confirm() if time else self._check(acknowledgement)

    def _check(self, acknowledgement: str) -> Move:
        day = self.slot("day")
        if self.current.checked_day == day:
            return self.ask("time", acknowledgement)
        self.current.checked_day = day
        return self.call("check_availability", day=day, doctor=self.slot("doctor") or "any")

    def confirm(self) -> Say:
        """Read the whole task back and ask whether it is right."""
        name, kind = title(self.name or ""), self.current.kind
        self.question = "confirm"
        if kind == "book":
            return Say(self._booking_said_back(name))
        if kind == "cancel":
            return Say(f"Cancel the appointment for {name} {on_day(self.slot('from_day'))}. Is that right?")
        days = f"from {show_day(self.slot('from_day'))} to {show_day(self.slot('to_day'))}"
        return Say(f"Move the appointment for {name} {days}. Is that right?")

    def _booking_said_back(self, name: str) -> str:
        doctor, reason = self.slot("doctor"), self.slot("reason")
        what = [f"Doctor {title(doctor)}, "] if doctor and doctor != "any" else []
        if reason:
            what.append(f"{reason}, ")
        text = f"{name}, {''.join(what)}{show_day(self.slot('day'))} at {self.slot('time')}. Is that right?"
        text = self.rng.choice(["Let me confirm. ", "So that is "]) + text
        return text if len(text.split()) <= MAX_WORDS else text.replace("Let me confirm. ", "")

    def run_task(self) -> Call:
        """Call the tool that performs the task."""
        kind, slot = self.current.kind, self.slot
        if kind == "book":
            doctor, reason = slot("doctor") or "any", slot("reason") or "visit"
            return self.call(
                "book_appointment", name=self.name, doctor=doctor, day=slot("day"), time=slot("time"), reason=reason
            )
        if kind == "cancel":
            return self.call("cancel_appointment", name=self.name, day=slot("from_day"))
        if kind == "move":
            days = {"from_day": slot("from_day"), "to_day": slot("to_day")}
            return self.call("reschedule_appointment", name=self.name, **days)
        if kind == "refill":
            return self.call("request_refill", name=self.name, medication=slot("medication"))
        return self.call("check_results", name=self.name, test=slot("test"))

    def transfer(self, reason: str) -> Call:
        """Put the caller through."""
        self.notes.handed_over = reason
        return self.call("transfer_to_human", reason=reason)
