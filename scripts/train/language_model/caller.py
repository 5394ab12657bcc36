"""A caller with a goal: what they want, what they have said, and how they answer the agent.

A caller only needs the class of the agent's last reply (`replies.classify`), so the same caller talks to the rule-based
desk in training and to the trained model in the evaluation.
"""

import re
from typing import Any

from scripts.train.language_model.domain import WORDS, Facts, Lex, doctors_of, syllables
from scripts.train.language_model.frames import Frame, Utterance
from scripts.train.language_model.phrases import CALLER, DIGRESSIONS, FACT_QUESTIONS
from scripts.train.language_model.replies import on_day

Goal = dict[str, Any]
"""`kind`, and the values that the caller has in mind, by slot."""

FIRST_KINDS = ("book", "book", "book", "avail", "cancel", "move", "refill", "results", "symptom", "emergency", "human")
FIRST_GOALS = (*FIRST_KINDS, *["faq"] * 5)
SECOND_GOALS = ("book", "cancel", "move", "refill", "results", "faq", "faq")
DIGRESSION_BUDGETS = (0, 1, 1, 2, 2, 3)
MISHEARD_SLOTS = ("day", "from_day", "to_day", "doctor")


class Caller:
    """One caller's state. Their first words are in openings.py, their answers in reactions.py."""

    def __init__(self, lex: Lex, facts: Facts) -> None:
        """Draws a name, goals and a temper."""
        self.lex = lex
        self.facts = facts
        self.name = lex.name()
        self.tasks = [self.make_goal(lex.choose(FIRST_GOALS))]
        if lex.chance(0.3):
            self.tasks.append(self.make_goal(lex.choose(SECOND_GOALS)))
        self.current: Goal | None = None
        self.misheard: tuple[str, str, str] | None = None
        """A slot, what the recogniser heard and what was said, until the agent reads it back."""
        self.has_given_name = False
        self.given: set[str] = set()
        """Slots of the current goal that the agent knows."""
        self.last_question = "help"
        self.digressions_left = lex.choose(DIGRESSION_BUDGETS)
        self.done = False

    def make_goal(self, kind: str) -> Goal:
        """A goal of that kind with everything it needs."""
        lex = self.lex
        goal: Goal = {"kind": kind}
        if kind in ("book", "avail", "symptom"):
            self._plan_visit(goal)
        elif kind == "cancel":
            goal["from_day"] = lex.day()
        elif kind == "move":
            goal["from_day"] = goal["to_day"] = lex.day()
            goal["to_day"] = lex.day()
            while goal["to_day"] == goal["from_day"]:
                goal["to_day"] = lex.day()
        elif kind == "refill":
            goal["medication"] = lex.word("medications") if lex.chance(0.85) else syllables(lex.rng, 3)
        elif kind == "results":
            goal["test"] = lex.word("tests")
        elif kind == "emergency":
            goal["reason"] = lex.word("emergencies")
        elif kind == "human":
            goal["who"] = self.phrase("colleagues")
        elif kind == "faq":
            goal["questions"] = lex.choose([1, 2, 2, 3])
        return goal

    def _plan_visit(self, goal: Goal) -> None:
        lex, kind = self.lex, goal["kind"]
        wants_doctor = lex.chance(0.6)
        goal["doctor"] = self.some_doctor() if wants_doctor and kind != "symptom" else None
        has_reason = kind == "book" and (not goal["doctor"] or lex.chance(0.2))
        goal["reason"] = bare(lex.word("reasons")) if has_reason else None
        if kind == "avail" and not goal["doctor"]:
            goal["reason"] = bare(lex.word("reasons"))
        if kind == "symptom":
            goal["symptom"] = lex.word("symptoms")
            goal["reason"] = bare(goal["symptom"])
        goal["day"] = lex.day()
        goal["time"] = lex.time()

    def some_doctor(self) -> str:
        """One of the clinic's doctors, rarely somebody else."""
        return self.lex.choose(doctors_of(self.facts)) if self.lex.chance(0.88) else self.lex.doctor()

    def next_task(self, *, more: bool = True) -> None:
        """Drop the current goal; without `more`, all of them."""
        self.tasks = self.tasks[1:] if more else []
        self.current = None
        self.given = set()

    def phrase(self, kind: str) -> str:
        """One way of saying something."""
        return self.lex.choose(CALLER[kind])

    def ask_fact(self) -> Utterance:
        """A question about the clinic."""
        topic = self.lex.choose(list(FACT_QUESTIONS))
        return self.lex.choose(FACT_QUESTIONS[topic]), Frame("fact", topic=topic)

    def digression(self, kind: str) -> Utterance:
        """A digression that is just one of its phrases."""
        return self.lex.choose(DIGRESSIONS[kind]), Frame(kind)

    def say_name(self) -> str:
        """The caller's own name."""
        return self.phrase("names").format(self.name)

    def say_slot(self, slot: str, value: str) -> str:
        """A value, in one of many ways."""
        if slot == "name":
            return self.say_name()
        if slot == "doctor":
            return self.phrase("any_doctor") if value == "any" else self.phrase("doctors").format(value)
        if slot == "reason":
            article = "an" if value[0] in "aeiou" or value.startswith("x ray") else "a"
            return self.phrase("reasons").format(article, value)
        if slot in ("day", "from_day", "to_day"):
            phrase = self.phrase("present_day" if slot == "from_day" else "wished_day")
            is_said = self.lex.chance(0.5)
            return phrase.format("on " if is_said and takes_on(value) else "", value)
        return self.phrase({"time": "times", "medication": "medications", "test": "tests"}[slot]).format(value)

    def give(self, slot: str) -> Utterance:
        """The value that was asked for, sometimes misheard (and corrected when the agent reads it back)."""
        goal = self.current if self.current is not None else {}
        if slot == "name":
            self.has_given_name = True
            return self.say_name(), Frame("inform", {"name": self.name})
        if slot == "reason" and goal.get("doctor") and self.lex.chance(0.9):
            return self.give("doctor")
        value = goal.get(slot)
        if value is None:
            value = goal[slot] = self._make_up(slot)
        self.given.add(slot)
        misheard = self._mishear(goal, slot, value)
        if misheard:
            return self.say_slot(slot, misheard), Frame("inform", {slot: misheard})
        text = self.say_slot(slot, value)
        says_time = slot == "day" and goal.get("kind") == "book" and self.lex.chance(0.35)
        if not says_time or "time" in self.given:
            return text, Frame("inform", {slot: value})
        self.given.add("time")
        preposition = "on " if takes_on(value) and self.lex.chance(0.5) else ""
        text = f"{preposition}[{value}] {self.lex.choose(['at', 'around'])} [{goal['time']}]"
        return text, Frame("inform", {slot: value, "time": goal["time"]})

    def _make_up(self, slot: str) -> str:
        """A value that the agent asked for and the goal does not have."""
        if slot == "reason":
            return "check up"
        if slot == "time":
            return self.lex.time()
        if slot in ("day", "from_day", "to_day"):
            return self.lex.day()
        if slot == "doctor":
            return "any"
        return self.lex.word("medications" if slot == "medication" else "tests")

    def _mishear(self, goal: Goal, slot: str, value: str) -> str | None:
        """What the recogniser makes of a value, if it gets it wrong."""
        if not goal or slot not in MISHEARD_SLOTS or not self.lex.chance(0.08) or value == "any":
            return None
        heard = self.lex.doctor() if slot == "doctor" else self.lex.day()
        if heard in value or value in heard:
            return None
        self.misheard = (slot, heard, value)
        return heard

    def correct(self, slot: str, wrong: str, value: str) -> Utterance:
        """Tell the agent that a value is wrong."""
        doctor = "doctor " if slot == "doctor" else ""
        self.given.add(slot)
        text = self.phrase("corrections").format(doctor=doctor, wrong=wrong, value=value)
        return text, Frame("correct", {slot: value})


def bare(text: str) -> str:
    """Without its article."""
    return re.sub(r"^(a|an|my) ", "", text)


def takes_on(day: str) -> bool:
    """Whether this day takes "on"."""
    return on_day(day).startswith("on ")


def number(lex: Lex) -> str:
    """A telephone number or the like, digit by digit."""
    digits = [*WORDS["numbers"][:9], "zero"]
    return " ".join(lex.choose(digits) for _ in range(lex.choose([4, 7, 10])))
