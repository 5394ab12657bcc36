"""What has happened in a call so far, and its summary and handoff briefing."""

from dataclasses import dataclass, field

from scripts.train.language_model.domain import join, title
from scripts.train.language_model.frames import Slots

TOPICS = {
    "weekdays": "opening hours",
    "saturday": "opening hours",
    "sunday": "opening hours",
    "hours": "opening hours",
    "address": "the address",
    "clinic": "the clinic",
    "lab": "the lab",
    "doctors": "the doctors",
}


@dataclass(slots=True)
class Task:
    """Something the caller wants."""

    kind: str
    slots: Slots = field(default_factory=dict)
    checked_day: str | None = None
    """The day whose free times have been looked up."""
    outcome: str | None = None
    """The outcome, as a sentence without a full stop."""
    wants_times: bool = False
    """Whether the caller asked for free times."""
    is_ready: bool = False
    """Whether the caller has confirmed it."""


@dataclass(slots=True)
class Notes:
    """Everything that a colleague needs to know."""

    tasks: list[Task] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Topics of questions, each once."""
    handed_over: str | None = None
    """Why the caller was put through."""

    def note_topic(self, topic: str) -> None:
        """The caller has asked about this."""
        if topic not in self.asked:
            self.asked.append(topic)

    def summary(self, name: str | None) -> str:
        """At most three sentences."""
        wants, topics, outcomes = self._wants(), self._topics(), self._outcomes()
        who = title(name) if name else "The caller"
        if wants:
            first = f"{who} called to {join(wants)}" + (f", and asked about {join(topics)}" if topics else "")
        elif topics:
            first = f"{who} asked about {join(topics)}"
        else:
            first = f"{who} has not asked for anything yet"
        sentences = [sentence + "." for sentence in (first, *outcomes)]
        if wants and not outcomes:
            sentences.append("Nothing is done yet.")
        return " ".join(sentences[:3])

    def handoff(self, name: str | None) -> str:
        """The reason, the caller, what was asked and what was done."""
        wants, topics, outcomes = self._wants(), self._topics(), self._outcomes()
        asked = join(wants) if wants else f"about {join(topics)}" if topics else "nothing yet"
        return (
            f"Reason: {self.handed_over or 'call in progress'}. Caller: {title(name) if name else 'not given'}. "
            f"Asked: {asked}. Done: {'. '.join(outcomes) if outcomes else 'nothing yet'}."
        )

    def _wants(self) -> list[str]:
        return list(dict.fromkeys(_want(task) for task in self.tasks))[:3]

    def _topics(self) -> list[str]:
        return list(dict.fromkeys(TOPICS.get(topic, topic) for topic in self.asked))[:2]

    def _outcomes(self) -> list[str]:
        return [task.outcome for task in self.tasks if task.outcome][-2:]


def _want(task: Task) -> str:
    """A phrase to follow "called to"."""
    slots = task.slots
    if task.kind == "book":
        return "book an appointment" + _booking_detail(slots)
    if task.kind == "human":
        return f"speak to {slots['who']}"
    wants = {
        "cancel": "cancel an appointment",
        "move": "move an appointment",
        "refill": f"get a refill of {slots.get('medication', 'a medication')}",
        "results": f"check {slots.get('test', 'test')} results",
        "symptom": f"report {slots.get('reason', '')}",
        "emergency": f"report {slots.get('reason', '')}",
    }
    return wants[task.kind]


def _booking_detail(slots: Slots) -> str:
    doctor, reason = slots.get("doctor"), slots.get("reason")
    if doctor and doctor != "any":
        return f" with Doctor {title(doctor)}"
    return f" for {reason}" if reason else ""
