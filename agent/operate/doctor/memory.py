"""Whether the machine has the RAM for the profile."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.needs import needs_of
from agent.operate.doctor.report import Row, Subject, shown_size
from agent.operate.doctor.running import Running

MEMORY = Subject("memory", "memory")
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFacts:
    """In bytes."""

    total_bytes: int
    """Of the machine, or of the container if that has less."""
    available_bytes: int
    """Without swapping anything out."""
    limited: bool = False
    """A container's limit decides."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    needed = needs_of(installation.profile).memory_bytes
    yield judge(find_memory(), needed_bytes=needed, running=installation.running)


def find_memory(cgroup: Path = CGROUP) -> MemoryFacts:
    """Of the machine and of the container's limit, whichever is less."""
    machine = psutil.virtual_memory()
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is None or limit >= machine.total:
        return MemoryFacts(total_bytes=machine.total, available_bytes=machine.available)
    left = max(0, limit - (used or 0))
    return MemoryFacts(total_bytes=limit, available_bytes=min(left, machine.available), limited=True)


def judge(facts: MemoryFacts, *, needed_bytes: int, running: Running | None) -> Row:
    """What is installed must be enough; what is free now must be, unless Callbox is what uses it."""
    of_container = " (the container's limit)" if facts.limited else ""
    found = f"{shown_size(facts.total_bytes)}{of_container}, {shown_size(facts.available_bytes)} of it free"
    needs = f"the profile needs about {shown_size(needed_bytes)}"
    if facts.total_bytes < needed_bytes * 0.95:  # of 2 GiB the kernel keeps some
        more = "Raise the container's limit" if facts.limited else "Add memory"
        return MEMORY.failed(f"{found}; {needs}", fix=f"{more}, or take a smaller profile (`make run PROFILE=demo`).")
    if running is None and facts.available_bytes < needed_bytes:
        return MEMORY.warning(f"{found}; {needs}", fix="Stop what uses it: `ps aux --sort=-rss | head` shows it.")
    return MEMORY.ok(f"{found}; {needs}")


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no cgroup, or its limit is the word max
        return None
