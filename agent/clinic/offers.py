"""Free times, and which of them to offer."""

from datetime import date, datetime, timedelta

from agent.clinic.clinic import Clinic
from agent.clinic.days import SpokenDay
from agent.clinic.times import say_time

_HORIZON_DAYS = 60
_DAYS_AT_ONCE = 7
"""How far one request to the book looks ahead."""


async def free_times(clinic: Clinic, first: date, last: date, doctor: str | None) -> list[datetime]:
    """When a doctor, or any, is free from day `first` to day `last`."""
    return sorted({slot.start for slot in await clinic.book.free_slots(first, last, doctor=doctor)})


async def next_free_days(
    clinic: Clinic, first: date, doctor: str | None, *, other_than: date | None = None
) -> list[list[datetime]]:
    """The free times of each of the two nearest days that have any, from `first` on for two months."""
    days: dict[date, list[datetime]] = {}
    horizon_days = min(_HORIZON_DAYS, (date.max - first).days)
    for ahead in range(0, horizon_days, _DAYS_AT_ONCE):
        start = first + timedelta(days=ahead)
        end = first + timedelta(days=min(ahead + _DAYS_AT_ONCE, horizon_days) - 1)
        for time in await free_times(clinic, start, end, doctor):
            if time.date() != other_than:
                days.setdefault(time.date(), []).append(time)
        if len(days) >= 2:
            break
    return list(days.values())[:2]


def is_in_part(time: datetime, day: SpokenDay) -> bool:
    """Whether a time is in the part of the day that was asked for."""
    return day.part is None or (time.hour < 12) == (day.part == "morning")


def say_two(times: list[datetime], *, near: datetime | None = None) -> list[str]:
    """Two of the times: the nearest to `near`, else one early and one late."""
    if near:
        pair = sorted(sorted(times, key=lambda time: abs(time - near))[:2])
    else:
        afternoon = [time for time in times[1:] if time.hour >= 12] if times[0].hour < 12 else []
        pair = [times[0], (afternoon or times[1:])[0]]
    return [say_time(time.time()) for time in pair]


async def say_next(clinic: Clinic, day: SpokenDay | None, doctor: str | None) -> list[str]:
    """One time on each of the next two days that have any, the day asked for included: an early and a late one."""
    first = max(day.date, clinic.today) if day else clinic.today
    days = await next_free_days(clinic, first, doctor)
    chosen = [times[0] for times in days[:1]]
    chosen += [next((time for time in times if time.hour >= 12), times[-1]) for times in days[1:]]
    return [f"{clinic.say_day(time.date())} at {say_time(time.time())}" for time in chosen]
