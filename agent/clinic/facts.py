"""What the front desk knows about its clinic, from configs/clinic.yaml."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from agent.clinic.days import SpokenDay, parse_day
from agent.clinic.times import parse_time, say_time
from agent.errors import ConfigError
from agent.yaml_files import read_yaml

Config = TypeVar("Config", bound=BaseModel)
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class OpeningHours(_Section):
    """When the clinic opens and closes on a day."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"from {say_time(self.opens)} to {say_time(self.closes)}"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("the clinic must open before it closes")
        return self


def _read_hours(value: Any) -> Any:
    """'08:30-18:00' or 'closed'."""
    if value == "closed":
        return None
    if not isinstance(value, str):
        return value
    opens, dash, closes = value.partition("-")
    if not dash:
        raise ValueError("write opening hours as 08:30-18:00, or closed")
    return {"opens": opens.strip(), "closes": closes.strip()}


DayHours = Annotated[OpeningHours | None, BeforeValidator(_read_hours)]


class WeekHours(_Section):
    """Opening hours by day; None where the clinic is closed."""

    weekdays: DayHours
    saturday: DayHours = None
    sunday: DayHours = None

    def on(self, weekday: int) -> OpeningHours | None:
        """The hours of a weekday, 0 is Monday."""
        return (self.weekdays, self.saturday, self.sunday)[max(0, weekday - 4)]


class Doctor(_Section):
    """A doctor and the days on which they see patients."""

    name: str = Field(min_length=1)
    """The last name, as it is spoken."""
    days: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")


def _understood_day(value: str) -> str:
    if parse_day(value, date(2026, 1, 1)) is None:
        raise ValueError(
            f"'{value}' is not a day that callers would understand; write one like tuesday, next friday or march third"
        )
    return value


def _understood_time(value: str) -> str:
    if parse_time(value) is None:
        raise ValueError(
            f"'{value}' is not a time that callers would understand; write one like ten thirty or half past two"
        )
    return value


SpokenDayText = Annotated[str, AfterValidator(_understood_day)]
"""A day as a caller says it, counted from the day the worker starts."""
SpokenTimeText = Annotated[str, AfterValidator(_understood_time)]


class DemoAppointment(_Section):
    """An invented booking."""

    name: str
    doctor: str
    day: SpokenDayText
    time: SpokenTimeText
    reason: str = "visit"


class DemoPrescription(_Section):
    """An invented prescription."""

    name: str
    medication: str
    refill: Literal["sent", "needs_doctor"] = "sent"
    """The answer to a request for a refill."""


class DemoResult(_Section):
    """An invented test result."""

    name: str
    test: str
    status: Literal["ready", "pending"] = "ready"
    expected: SpokenDayText = "friday"
    """The day on which a pending result is expected."""


class DemoData(_Section):
    """Invented people and bookings."""

    seed: int = 0
    busy_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the slots that strangers hold, the same ones every week."""
    appointments: tuple[DemoAppointment, ...] = ()
    prescriptions: tuple[DemoPrescription, ...] = ()
    results: tuple[DemoResult, ...] = ()


class ClinicFacts(_Section):
    """The whole of configs/clinic.yaml."""

    name: str = Field(min_length=1)
    address: str
    hours: WeekHours
    parking: str
    insurance: tuple[str, ...] = Field(min_length=1)
    payment: tuple[str, ...] = Field(min_length=1)
    lab: str
    """The floor it is on."""
    doctors: tuple[Doctor, ...] = Field(min_length=1)
    slot_minutes: Literal[15, 30] = 30
    transfer: Literal["nobody_free", "transferring"] = "nobody_free"
    """The answer to a request for a colleague."""
    demo: DemoData = DemoData()

    def doctor(self, name: str) -> Doctor | None:
        """The doctor of that last name, in any case."""
        return next((doctor for doctor in self.doctors if same_words(doctor.name, name)), None)

    def parse_start(self, text: str, day: SpokenDay) -> datetime | None:
        """The moment on `day` that a caller names; the opening hours tell morning from afternoon."""
        hours = self.hours.on(day.date.weekday()) or self.hours.weekdays
        if hours is None:
            moment = parse_time(text, part=day.part)
        else:
            moment = parse_time(text, part=day.part, opens=hours.opens, closes=hours.closes)
        return datetime.combine(day.date, moment) if moment else None

    @model_validator(mode="after")
    def _doctors_known(self) -> Self:
        known = {doctor.name.casefold() for doctor in self.doctors}
        if len(known) < len(self.doctors):
            raise ValueError("two doctors have the same name")
        for i, booking in enumerate(self.demo.appointments):
            if booking.doctor.casefold() not in known:
                raise ValueError(f"demo.appointments.{i}.doctor: '{booking.doctor}' is not one of the doctors")
        return self


def same_words(one: str, other: str) -> bool:
    """Whether two names or phrases differ at most in case and spacing."""
    return one.casefold().split() == other.casefold().split()


def load_facts(path: Path) -> ClinicFacts:
    """Reads clinic.yaml. Raises ConfigError naming the file and the key."""
    return read_config(path, ClinicFacts)


def read_config(path: Path, model: type[Config]) -> Config:
    """The YAML file at `path` as a `model`. Raises ConfigError naming the file and every wrong key."""
    content = read_yaml(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = (
            f"{path}: {'.'.join(map(str, issue['loc'])) or 'the file'}: {issue['msg']}" for issue in error.errors()
        )
        raise ConfigError("\n".join(wrong)) from None
