"""Checks that the ports are free before anything is started, and names what holds them if not."""

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import psutil

from agent.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Port:
    """A port that one of the processes opens."""

    number: int
    protocol: Literal["tcp", "udp"]
    host: str
    """IPv4 address it is opened on."""
    setting: str
    """The key in configs/site.yaml that changes it."""


def require_free(ports: Iterable[Port]) -> None:
    """Raises ConfigError with a sentence for each port that is taken or that this user may not open."""
    problems = [sentence for port in ports if (sentence := _problem(port)) is not None]
    if problems:
        raise ConfigError("\n".join(problems))


def _problem(port: Port) -> str | None:
    tcp = port.protocol == "tcp"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as probe:
        if tcp:  # as servers do: connections of an earlier run in TIME_WAIT do not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
        except OSError as error:
            return _sentence(port, error)
    return None


def _sentence(port: Port, error: OSError) -> str:
    change = f"set {port.setting} in configs/site.yaml"
    if error.errno == errno.EACCES:
        return f"This user may not open port {port.number}. Set {port.setting} in configs/site.yaml to one above 1023."
    if error.errno != errno.EADDRINUSE:
        problem = f"Port {port.number} cannot be opened on {port.host} ({error.strerror})"
        return f"{problem}. Set another {port.setting} in configs/site.yaml."
    holder = _holder(port)
    if holder is None:
        return (
            f"Port {port.number} ({port.protocol}) is taken by another user's process. "
            f"Find it with `sudo ss -lptun 'sport = :{port.number}'` and stop it, or {change}."
        )
    return (
        f"Port {port.number} ({port.protocol}) is taken by {holder.name()} (pid {holder.pid}). "
        f"Stop it with `kill {holder.pid}`, or {change}."
    )


def _holder(port: Port) -> psutil.Process | None:
    try:
        for connection in psutil.net_connections(kind=f"{port.protocol}4"):
            listens = port.protocol == "udp" or connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr and connection.laddr.port == port.number and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        return None
    return None
