"""Ports of loopback that nothing uses."""

import socket


def free_ports(*kinds: socket.SocketKind) -> list[int]:
    """One for each kind of socket, all different; another program may take them before they are used."""
    probes = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
