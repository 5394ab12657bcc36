"""What a doctor's visit results in: rows, and the object that `--json` prints."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Outcome(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    """Callbox starts, and somebody will be sorry later."""
    FAILED = "failed"
    """Callbox does not start, or does not do what it is for."""
    SKIPPED = "skipped"
    """There was nothing to check, or no way to; `found` says why."""


class Row(BaseModel):
    """One line of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    check: str
    """Stable name of the check: `disk`, `ports`, `tls`, `model` ... Several rows may share it."""
    name: str
    """What the row is about, for people: `disk`, `model demo-stt`."""
    outcome: Outcome
    """`ok`, `warning`, `failed` or `skipped`."""
    found: str
    """What was found, in figures; of a skipped check the reason."""
    fix: str = ""
    """What to do, on one line, shortest way first; never empty in a warning or a failed row."""


class Report(BaseModel):
    """A whole visit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: Literal[1] = 1
    """Of this schema: it rises when a key is renamed or changes its meaning, not when one is added."""
    profile: str
    """The profile that was examined."""
    healthy: bool
    """Whether nothing failed; the exit status is 0 then, else 1."""
    counts: dict[Outcome, int]
    """Rows of each outcome; every outcome is a key."""
    rows: tuple[Row, ...]
    """In the order of the table."""

    @classmethod
    def of(cls, profile: str, rows: Iterable[Row]) -> "Report":
        """The report that consists of these rows."""
        rows = tuple(rows)
        outcomes = [row.outcome for row in rows]
        counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
        return cls(profile=profile, rows=rows, healthy=counts[Outcome.FAILED] == 0, counts=counts)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about, before it is known how that is."""

    check: str
    name: str

    def ok(self, found: str) -> Row:
        """As it should be."""
        return Row(check=self.check, name=self.name, outcome=Outcome.OK, found=found)

    def warning(self, found: str, *, fix: str) -> Row:
        """It works, for now."""
        return Row(check=self.check, name=self.name, outcome=Outcome.WARNING, found=found, fix=fix)

    def failed(self, found: str, *, fix: str) -> Row:
        """It stands in the way."""
        return Row(check=self.check, name=self.name, outcome=Outcome.FAILED, found=found, fix=fix)

    def skipped(self, reason: str) -> Row:
        """It was not looked at."""
        return Row(check=self.check, name=self.name, outcome=Outcome.SKIPPED, found=reason)


def shown_size(size_bytes: float) -> str:
    """A size as people read it: MiB below 1 GiB, GiB above."""
    mib = size_bytes / 2**20
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def split_advice(sentence: str, *, otherwise: str) -> tuple[str, str]:
    """What an error of ours says, as what is wrong and what to do about it; `otherwise` where it only says the first."""
    found, _, fix = " ".join(sentence.split()).partition(". ")
    return found.removesuffix("."), fix or otherwise
