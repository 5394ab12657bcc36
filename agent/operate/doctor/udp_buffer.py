"""Whether the kernel keeps enough sound waiting when livekit-server is busy, measured as livekit-server does."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject, shown_size

UDP_BUFFER = Subject("udp_buffer", "UDP receive buffer")
ASKED_BYTES = 16_777_216
"""What livekit-server asks the kernel for."""
LEAST_BYTES = 5_000_000
"""Below this livekit-server warns (mediatransportutil, rtcconfig)."""
LIMIT = Path("/proc/sys/net/core/rmem_max")


@dataclass(frozen=True, slots=True)
class UdpBufferFacts:
    """What the kernel gives."""

    granted_bytes: int
    """Of ASKED_BYTES; Linux counts its own bookkeeping in, so it is twice the limit."""
    limit_bytes: int | None
    """net.core.rmem_max, if it can be read."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_buffer())


def find_buffer() -> UdpBufferFacts:
    """Ask for the buffer on a socket of our own, which is sent nothing. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ASKED_BYTES)
        granted_bytes = probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    try:
        limit_bytes: int | None = int(LIMIT.read_text())
    except (OSError, ValueError):
        limit_bytes = None
    return UdpBufferFacts(granted_bytes, limit_bytes)


def judge(facts: UdpBufferFacts) -> Row:
    """Too small a buffer loses sound when many callers speak at once."""
    limit = "" if facts.limit_bytes is None else f" (net.core.rmem_max {facts.limit_bytes})"
    found = f"{shown_size(facts.granted_bytes)}{limit}"
    if facts.granted_bytes < LEAST_BYTES:
        return UDP_BUFFER.warning(
            f"{found}; livekit-server wants {shown_size(LEAST_BYTES)}: sound is lost when many call at once",
            fix=f"`echo net.core.rmem_max={LEAST_BYTES} | sudo tee /etc/sysctl.d/90-callbox.conf && sudo sysctl --system`",
        )
    return UDP_BUFFER.ok(found)
