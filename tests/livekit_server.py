"""A real livekit-server for tests: on free ports, with its own keys and the product's configuration.

A test folder gets the fixture by importing it in its conftest.py: `from tests.livekit_server import livekit_server`.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.operate.supervisor.livekit_server import CACHE, server_config
from agent.settings import Network
from scripts.free_ports import free_ports

START_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveKitServer:
    """A running server and how to reach it."""

    url: str
    port: int
    key: str
    secret: str = field(repr=False)
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def kill(self) -> None:
        """Kill it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


def find_livekit_server() -> Path | None:
    """$LIVEKIT_SERVER, else one on PATH, else the one that scripts/install_livekit.sh installed."""
    cache = Path(os.environ.get("CALLBOX_CACHE", CACHE)) / "bin" / "livekit-server"
    found = [os.environ.get("LIVEKIT_SERVER"), shutil.which("livekit-server"), str(cache)]
    return next((Path(name) for name in found if name and os.access(name, os.X_OK)), None)


@contextmanager
def run_livekit_server(*, like: LiveKitServer | None = None) -> Iterator[LiveKitServer]:
    """Start a server, wait until it answers, and stop it afterwards. With `like`, reuse another server's port and keys."""
    program = find_livekit_server()
    if program is None:
        pytest.fail("livekit-server is missing: run `make livekit`, or set LIVEKIT_SERVER to its path")
    if like is None:
        port, key, secret = free_port(socket.SOCK_STREAM), secrets.token_hex(8), secrets.token_hex(32)
    else:
        port, key, secret = like.port, like.key, like.secret
    config = server_config(Network(livekit_port=port, rtc_udp_port=free_port(socket.SOCK_DGRAM)))
    environment = {**os.environ, "LIVEKIT_CONFIG": config, "LIVEKIT_KEYS": f"{key}: {secret}"}
    with subprocess.Popen([program], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_up(process, port)
            yield LiveKitServer(url=f"ws://127.0.0.1:{port}", port=port, key=key, secret=secret, process=process)
        finally:
            process.kill()


@pytest.fixture(scope="session")
def livekit_server() -> Iterator[LiveKitServer]:
    """One server for the whole test session. A test that kills its server starts its own with run_livekit_server()."""
    with run_livekit_server() as server:
        yield server


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nothing uses."""
    return free_ports(kind)[0]


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            pytest.fail(f"livekit-server exited at once with status {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"livekit-server did not answer within {START_TIMEOUT_S:.0f} s")
