"""Whether the clock is right: certificates, callers' tokens and appointments depend on it."""

import ctypes
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.operate.doctor.commands import ask
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject

CLOCK = Subject("clock", "clock")
TOLERANCE_S = 300.0
"""How far ahead another machine's clock may have been when a file or a commit was made there."""
SOURCES = ("agent", "serving", "models", "scripts")
TIMEX_BYTES = 256
"""More than the kernel's struct timex takes; all zeros asks and sets nothing."""
TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """In seconds since 1970."""

    now_s: float
    newest_s: float
    """When the newest file or commit of this checkout was made."""
    newest: str
    """What was made then."""
    synchronised: bool | None
    """Whether a time server sets the clock; None if that cannot be told."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    newest_s, newest = find_newest(installation.root)
    yield judge(ClockFacts(now_s=time.time(), newest_s=newest_s, newest=newest, synchronised=find_synchronised()))


def find_newest(root: Path) -> tuple[float, str]:
    """Time and name of the newest source file or commit; 1970 in an empty folder."""
    files = [path for folder in SOURCES for path in (root / folder).rglob("*.py")]
    found = [(path.stat().st_mtime, str(path.relative_to(root))) for path in files]
    commit = ask(["git", "-C", str(root), "log", "-1", "--format=%ct"])
    if commit is not None and commit.status == 0 and commit.output.isdecimal():
        found.append((float(commit.output), "the last commit"))
    return max(found, default=(0.0, "nothing"))


def find_synchronised() -> bool | None:
    """What the kernel says, else chrony, which may keep it from the kernel."""
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    if 0 <= state < TIME_ERROR:
        return True
    tracking = ask(["chronyc", "-n", "tracking"])
    if tracking is not None and tracking.status == 0:
        return "Not synchronised" not in tracking.output
    return None if state < 0 else False


def judge(facts: ClockFacts) -> Row:
    """A clock behind the newest file is certainly wrong; one that nothing sets will be."""
    now = _format(facts.now_s)
    if facts.now_s < facts.newest_s - TOLERANCE_S:
        return CLOCK.failed(
            f"{now}, which is before {facts.newest} was made ({_format(facts.newest_s)})",
            fix="`sudo date -u -s '…'` with the right time, then `sudo hwclock --systohc`.",
        )
    if facts.synchronised is None:
        return CLOCK.ok(f"{now}; cannot tell whether it is synchronised")
    if not facts.synchronised:
        return CLOCK.warning(
            f"{now}, not synchronised: it drifts by seconds a week, and certificates and tokens depend on it",
            fix="`sudo timedatectl set-ntp true`, with your network's time server in /etc/systemd/timesyncd.conf.",
        )
    return CLOCK.ok(f"{now}, synchronised")


def _format(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
