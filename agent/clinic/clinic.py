"""A clinic as its tools see it: what is known about it, its book, and its clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from agent.clinic.book import Book
from agent.clinic.days import SpokenDay, parse_day, say_day
from agent.clinic.facts import ClinicFacts


@dataclass(frozen=True, slots=True)
class Clinic:
    """One clinic, shared by all calls."""

    facts: ClinicFacts
    book: Book
    now: Callable[[], datetime] = datetime.now
    """The clinic's local time, without a zone."""

    @property
    def today(self) -> date:
        """The clinic's date."""
        return self.now().date()

    def parse_day(self, text: str) -> SpokenDay | None:
        """A day as a caller says it."""
        return parse_day(text, self.today)

    def say_day(self, day: date) -> str:
        """A day as a caller would say it."""
        return say_day(day, self.today)
