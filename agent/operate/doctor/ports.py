"""Whether every port that `make run` opens is free, and the kernel buffers enough of the sound that arrives."""

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigError
from agent.operate.doctor.installation import Installation, Running
from agent.operate.doctor.report import Row, Subject, format_size
from agent.operate.supervisor.callbox import ports
from agent.operate.supervisor.ports import Port, require_free

PORTS = Subject("ports", "ports")
UDP_BUFFER = Subject("udp_buffer", "UDP receive buffer")
REQUESTED_BYTES = 16_777_216
"""What livekit-server asks the kernel for."""
MIN_BYTES = 5_000_000
"""livekit-server warns below this (mediatransportutil, rtcconfig)."""
LIMIT = Path("/proc/sys/net/core/rmem_max")


@dataclass(frozen=True, slots=True)
class PortState:
    """A port as it is now."""

    port: Port
    problem: str = ""
    """Why it cannot be opened, and what to do; empty if it can."""

    @property
    def name(self) -> str:
        """As in `7882/udp`."""
        return f"{self.port.number}/{self.port.protocol}"


def check_ports(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge_ports(find_states(ports(installation.network)), installation.running)


def check_buffer(installation: Installation) -> Iterator[Row]:
    """One row."""
    limit = LIMIT.read_text().strip() if LIMIT.exists() else "unknown"
    yield judge_buffer(find_buffer_bytes(), limit)


def find_states(wanted: Iterable[Port]) -> tuple[PortState, ...]:
    """Try to open each port for a moment."""
    return tuple(PortState(port, _problem(port)) for port in wanted)


def judge_ports(states: tuple[PortState, ...], running: Running | None) -> Row:
    """While Callbox runs, its ports should be taken."""
    listed = ", ".join(state.name for state in states)
    taken = [state for state in states if state.problem]
    free = [state for state in states if not state.problem]
    if running is not None and free:
        return PORTS.warning(
            f"{running}, but nothing listens on {', '.join(state.name for state in free)}",
            fix="See what `make run` printed about livekit and web, press Ctrl-C there, and start it again.",
        )
    if running is not None:
        return PORTS.ok(f"{running}: {listed} are open")
    if taken:
        return PORTS.failed(
            f"{len(taken)} of {len(states)} cannot be opened: {', '.join(state.name for state in taken)}",
            fix=" ".join(state.problem for state in taken),
        )
    return PORTS.ok(f"free: {listed}")


def find_buffer_bytes() -> int:
    """What the kernel grants of REQUESTED_BYTES on a socket of ours. Linux grants up to twice its limit, for its own
    bookkeeping. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, REQUESTED_BYTES)
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def judge_buffer(granted_bytes: int, limit: str) -> Row:
    """With too small a buffer, sound is lost when many callers speak at once."""
    found = f"{format_size(granted_bytes)} (net.core.rmem_max {limit})"
    if granted_bytes < MIN_BYTES:
        return UDP_BUFFER.warning(
            f"{found}; livekit-server wants {format_size(MIN_BYTES)}: sound will be lost when many people call at once",
            fix=f"`echo net.core.rmem_max={MIN_BYTES} | sudo tee /etc/sysctl.d/90-callbox.conf && sudo sysctl --system`",
        )
    return UDP_BUFFER.ok(found)


def _problem(port: Port) -> str:
    try:
        require_free([port])
    except ConfigError as error:
        return str(error)
    return ""
