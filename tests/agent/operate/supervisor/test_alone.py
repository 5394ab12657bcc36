"""The parts of `run` that others start one by one: `python -m agent keys`, `livekit` and `ready`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from aiohttp.test_utils import unused_port
from dotenv import dotenv_values

from agent.settings import ROOT

pytestmark = pytest.mark.call


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Ports of its own, and keys made by the command that makes them."""
    site = tmp_path / "site.yaml"
    ports = {"livekit_port": unused_port(), "rtc_udp_port": unused_port()}
    site.write_text(yaml.safe_dump({"network": ports}))
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("LIVEKIT_", "CALLBOX_ADDRESS"))
    }
    environment = {**inherited, "CALLBOX_SITE": str(site)}
    made = _agent(environment, "keys", str(tmp_path / ".env"))
    assert made.returncode == 0, made.stderr
    return {**environment, **{name: str(value) for name, value in dotenv_values(tmp_path / ".env").items()}}


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "agent", "livekit"], cwd=ROOT, env=environment)
    yield process
    process.kill()
    process.wait()


def _agent(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_keys_are_made_once_and_for_their_owner_only(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / ".env"
    before = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "keys already exist" in _agent(environment, "keys", str(file)).stdout
    assert file.read_text() == before


def test_livekit_server_takes_the_place_of_the_command(
    environment: dict[str, str], server: subprocess.Popen[bytes]
) -> None:
    assert _agent(environment, "ready", "livekit", "--wait-s", "60", "--pid", str(server.pid)).returncode == 0
    process = psutil.Process(server.pid)
    assert Path(process.exe()).name.startswith("livekit-server")
    assert [word for word in process.cmdline() if environment["LIVEKIT_API_SECRET"] in word] == []
    listening = {item.laddr.ip for item in process.net_connections("tcp4") if item.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_waiting_ends_with_the_process(environment: dict[str, str], server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()
    said = _agent(environment, "ready", "livekit", "--wait-s", "3600", "--pid", str(server.pid))
    assert said.returncode == 1
    assert "livekit is not ready" in said.stderr


def test_a_wrong_address_is_reported(environment: dict[str, str]) -> None:
    said = _agent({**environment, "CALLBOX_ADDRESS": "192.0.2.7"}, "livekit")
    assert said.returncode == 1
    assert "is not an address of this machine" in said.stderr
