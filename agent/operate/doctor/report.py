"""The doctor's report: the rows of its table, and the object that `--json` prints."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Outcome(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    """Callbox starts, but this will cause trouble later."""
    FAILED = "failed"
    """Callbox does not start, or callers cannot use it."""
    SKIPPED = "skipped"
    """Nothing to check, or no way to check it; `found` says why."""


class Row(BaseModel):
    """One row of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    check: str
    """Stable name of the check: `disk`, `ports`, `tls`, `model` ... Several rows may share it."""
    name: str
    """What the row is about, for people: `disk`, `model demo-stt`."""
    outcome: Outcome
    """`ok`, `warning`, `failed` or `skipped`."""
    found: str
    """What was found, with figures; for a skipped check, the reason."""
    fix: str = ""
    """What to do about it, on one line; never empty in a warning or a failed row."""


class Report(BaseModel):
    """Everything the doctor found."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: Literal[1] = 1
    """Version of this schema: it goes up when a key is renamed or changes its meaning, not when one is added."""
    profile: str
    """The profile that was checked."""
    healthy: bool
    """Whether nothing failed; the exit status is 0 then, else 1."""
    counts: dict[Outcome, int]
    """Rows by outcome; every outcome is a key."""
    rows: tuple[Row, ...]
    """In the order of the table."""

    @classmethod
    def of(cls, profile: str, rows: Iterable[Row]) -> "Report":
        """The report with these rows."""
        rows = tuple(rows)
        outcomes = [row.outcome for row in rows]
        counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
        return cls(profile=profile, rows=rows, healthy=counts[Outcome.FAILED] == 0, counts=counts)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about; makes the row once the outcome is known."""

    check: str
    name: str

    def ok(self, found: str) -> Row:
        """All is well."""
        return Row(check=self.check, name=self.name, outcome=Outcome.OK, found=found)

    def warning(self, found: str, *, fix: str) -> Row:
        """It works for now."""
        return Row(check=self.check, name=self.name, outcome=Outcome.WARNING, found=found, fix=fix)

    def failed(self, found: str, *, fix: str) -> Row:
        """It has to be fixed first."""
        return Row(check=self.check, name=self.name, outcome=Outcome.FAILED, found=found, fix=fix)

    def skipped(self, reason: str) -> Row:
        """It was not checked."""
        return Row(check=self.check, name=self.name, outcome=Outcome.SKIPPED, found=reason)


def format_size(size_bytes: float) -> str:
    """A size for people: MiB below 1 GiB, else GiB."""
    mib = size_bytes / 2**20
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def split_advice(message: str, *, otherwise: str) -> tuple[str, str]:
    """One of our error messages as problem and fix; `otherwise` is the fix of a message that names none."""
    found, _, fix = " ".join(message.split()).partition(". ")
    return found.removesuffix("."), fix or otherwise
