"""Words of the domain and random draws from them: names, doctors, days, times, and whole clinics.

The lists are in words.yaml. About an eighth of the names, streets and places are held out, so that the evaluation uses names,
doctors and facts that the model was never trained on.
"""

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

T = TypeVar("T")
Facts = dict[str, str]
"""One clinic's facts, by the keys of LABELS, and its name as `clinic`."""

WORDS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
SPLIT_LISTS = ("first", "last", "docs", "place", "street", "near")
INVENTED_SHARE = 0.35

DAY_WEIGHTS = (9, 3, 1, 3, 1, 0.5, 3, 1.5, 1)
TIME_WEIGHTS = (4, 2, 4, 2, 2, 1, 1, 1, 1, 1, 1, 0.7, 0.7)

LABELS = {
    "address": "Address",
    "weekdays": "Weekdays",
    "saturday": "Saturday",
    "sunday": "Sunday",
    "parking": "Parking",
    "insurance": "Insurance",
    "payment": "Payment",
    "lab": "Lab",
    "doctors": "Doctors",
}
DEFAULT_FACTS: Facts = {
    "clinic": "Riverside Clinic",
    "address": "twelve Mill Lane, next to the library",
    "weekdays": "from eight thirty to six",
    "saturday": "from nine to one",
    "sunday": "closed",
    "parking": "there is free parking behind the building",
    "insurance": "Medicare, Blue Cross and Aetna",
    "payment": "cards and cash",
    "lab": "second floor",
    "doctors": "Patel, Chen and Garcia",
}


def is_held_out(word: str, share: float = 0.12) -> bool:
    """Whether a word is for the evaluation only; the same on every machine."""
    return int(hashlib.md5(word.encode()).hexdigest(), 16) % 1000 < share * 1000


def syllables(rng: random.Random, count: int) -> str:
    """An invented name, which the model has to copy rather than remember."""
    parts = WORDS["syllables"]
    return "".join(
        rng.choice(parts["onsets"]) + rng.choice(parts["vowels"]) + rng.choice(parts["codas"]) for _ in range(count)
    )


class Lex:
    """Random draws from one split of the word lists."""

    first: list[str]
    last: list[str]
    docs: list[str]
    place: list[str]
    street: list[str]
    near: list[str]

    def __init__(self, rng: random.Random, split: Literal["train", "test"] = "train") -> None:
        """Draws from `rng`; the same state gives the same words."""
        self.rng = rng
        self.split = split
        for kind in SPLIT_LISTS:
            words = [word for word in dict.fromkeys(WORDS[kind]) if is_held_out(word) == (split == "test")]
            setattr(self, kind, words + WORDS["held_out"][kind] if split == "test" else words)

    def choose(self, items: Sequence[T]) -> T:
        """One of the items."""
        return self.rng.choice(items)

    def word(self, kind: str) -> str:
        """A word from a whole list, including held-out ones."""
        return str(self.rng.choice(WORDS[kind]))

    def chance(self, share: float) -> bool:
        """True with that probability."""
        return self.rng.random() < share

    def name(self) -> str:
        """First and last name, in lower case."""
        invented = INVENTED_SHARE if self.split == "train" else 0.0
        parts = []
        for names in (self.first, self.last):
            is_invented = self.chance(invented)
            parts.append(syllables(self.rng, self.choose([1, 2, 2, 3])) if is_invented else self.choose(names))
        return " ".join(parts)

    def doctor(self) -> str:
        """A doctor's last name, in lower case."""
        if self.split == "train" and self.chance(INVENTED_SHARE):
            return syllables(self.rng, self.choose([1, 2, 2]))
        if self.split == "train" and self.chance(0.2):
            return self.choose(self.last)
        return self.choose(self.docs)

    def day(self) -> str:
        """A day as callers say it."""
        day = self.word("days")
        part = self.choose(["morning", "afternoon"])
        days = [
            day,
            f"next {day}",
            f"this {day}",
            "tomorrow",
            f"{day} {part}",
            f"tomorrow {part}",
            f"{self.word('months')} {self.word('ordinals')}",
            f"the {self.word('ordinals')} of {self.word('months')}",
            "today",
        ]
        return self.rng.choices(days, DAY_WEIGHTS)[0]

    def time(self) -> str:
        """A time as callers say it."""
        hour = self.word("numbers")
        times = [
            hour,
            f"{hour} o'clock",
            f"{hour} thirty",
            f"{hour} fifteen",
            f"{hour} forty five",
            f"{hour} a m",
            f"{hour} p m",
            f"half past {hour}",
            f"quarter past {hour}",
            f"quarter to {hour}",
            "noon",
            f"{hour} in the morning",
            f"{hour} in the afternoon",
        ]
        return self.rng.choices(times, TIME_WEIGHTS)[0]

    def slot(self) -> str:
        """A time as the booking system writes it."""
        return self.word("numbers") + self.choose(["", " thirty", " fifteen", " forty five"])


def title(text: str) -> str:
    """Every word capitalized; unlike str.title, letters after an apostrophe stay small."""
    return " ".join(word[:1].upper() + word[1:] for word in text.split())


def show_day(day: str) -> str:
    """A day as the agent writes it."""
    named = {*WORDS["days"], *WORDS["months"], "sunday"}
    return " ".join(word.title() if word in named else word for word in day.split())


def join(items: Sequence[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def doctors_of(facts: Facts) -> list[str]:
    """The last names of a clinic's doctors, in lower case."""
    return facts["doctors"].lower().replace(" and ", ", ").split(", ")


def random_facts(lex: Lex) -> Facts:
    """A made-up clinic."""
    address = f"{lex.word('house_numbers')} {_street(lex)}"
    if lex.chance(0.6):
        address += ", " + lex.choose(lex.near)
    doctors: list[str] = []
    while len(doctors) < lex.choose([2, 3, 3, 4]):
        doctor = title(lex.doctor())
        if doctor not in doctors:
            doctors.append(doctor)
    is_invented = lex.split == "train" and lex.chance(0.45)
    name = syllables(lex.rng, 2) if is_invented else lex.choose(lex.place)
    return {
        "clinic": f"{title(name)} {lex.word('clinic_kinds')}",
        "address": address,
        "weekdays": f"from {lex.word('opening_times')} to {lex.word('closing_times')}",
        "saturday": lex.choose([_short_hours(lex)] * 3 + ["closed"]),
        "sunday": lex.choose(["closed", "closed", _short_hours(lex)]),
        "parking": _parking(lex),
        "insurance": _insurance(lex),
        "payment": lex.word("payments"),
        "lab": lex.word("floors"),
        "doctors": join(doctors),
    }


def _street(lex: Lex) -> str:
    return f"{title(lex.choose(lex.street))} {lex.word('ways')}"


def _short_hours(lex: Lex) -> str:
    return f"from {lex.word('opening_times')} to {lex.word('early_closing_times')}"


def _parking(lex: Lex) -> str:
    kind = lex.word("parking_kinds")
    place = lex.choose(["behind the building", "in front of the building", "in the basement", f"on {_street(lex)}"])
    return lex.choose(
        [
            f"there is {kind} parking {place}",
            f"the nearest garage is on {_street(lex)}",
            f"you can park on {_street(lex)}",
        ]
    )


def _insurance(lex: Lex) -> str:
    count = lex.choose([2, 3])
    return join(lex.rng.sample(WORDS["insurers"], count))
