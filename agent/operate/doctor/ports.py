"""Whether every port that `make run` opens can be opened, and who has it if not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.errors import ConfigError
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.operate.doctor.running import Running
from agent.operate.supervisor.callbox import ports
from agent.operate.supervisor.ports import Port, require_free

PORTS = Subject("ports", "ports")


@dataclass(frozen=True, slots=True)
class PortState:
    """One port, as it is now."""

    port: Port
    problem: str = ""
    """Why it cannot be opened, with what to do; empty if it can."""

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.port.number}/{self.port.protocol}"


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_states(ports(installation.network)), installation.running)


def find_states(wanted: Iterable[Port]) -> tuple[PortState, ...]:
    """Try to open each of them for a moment."""
    return tuple(PortState(port, _problem(port)) for port in wanted)


def judge(states: tuple[PortState, ...], running: Running | None) -> Row:
    """Ports of a running Callbox are taken, and should be."""
    listed = ", ".join(state.name for state in states)
    taken = [state for state in states if state.problem]
    if running is not None:
        return _of_running(running, [state for state in states if not state.problem], listed)
    if not taken:
        return PORTS.ok(f"free: {listed}")
    return PORTS.failed(
        f"{len(taken)} of {len(states)} cannot be opened: {', '.join(state.name for state in taken)}",
        fix=" ".join(state.problem for state in taken),
    )


def _of_running(running: Running, free: list[PortState], listed: str) -> Row:
    if free:
        return PORTS.warning(
            f"{running}, but nobody listens on {', '.join(state.name for state in free)}",
            fix="Look at what `make run` printed about livekit and web; Ctrl-C there, and start it again.",
        )
    return PORTS.ok(f"{running}: {listed} are open")


def _problem(port: Port) -> str:
    try:
        require_free([port])
    except ConfigError as error:
        return str(error)
    return ""
