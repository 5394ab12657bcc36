"""A whole call in a network namespace whose only way out leads nowhere and is watched: not one packet may take it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.call

_NAMESPACE = """
set -e
ip link set lo up
ip link add out type veth peer name nowhere
ip link set out addrgenmode none
ip link set nowhere addrgenmode none
ip addr add 10.99.0.1/24 dev out
ip link set nowhere up
ip link set out up
ip route add default via 10.99.0.2 dev out
ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:02 dev out
"$@"
echo "packets out: $(awk '/out:/ { print $11 }' /proc/net/dev)" >&2
"""

_CALL = """
import asyncio, pathlib, sys
from tests.call.conftest import run_box
from tests.livekit_server import run_livekit_server

async def main():
    with run_livekit_server() as server, run_box(server, pathlib.Path(sys.argv[1])) as box:
        record = await box.hold({"opening": "where can i park", "rules": [{"when": ".", "hang_up": True}]}, room="inside")
        assert "parking" in record.agent_said, record.agent_said

asyncio.run(main())
"""
_SEND_ONE = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))"


def test_a_call_sends_nothing_off_the_machine(tmp_path: Path) -> None:
    assert _packets_out(sys.executable, "-c", _CALL, str(tmp_path)) == 0


def test_the_watch_sees_an_outbound_packet() -> None:
    assert _packets_out(sys.executable, "-c", _SEND_ONE) == 1


def _packets_out(*command: str) -> int:
    """How many packets tried to leave the machine while the command ran in a namespace of its own."""
    isolate = ["unshare", "--net", "--map-root-user"]
    if (
        not shutil.which("ip")
        or not shutil.which("unshare")
        or subprocess.run([*isolate, "true"], check=False).returncode
    ):
        pytest.skip("this machine does not let a process make a network namespace (unshare, ip)")
    inside = ["sh", "-c", _NAMESPACE, "sh", *command]
    done = subprocess.run([*isolate, *inside], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stderr.rsplit("packets out: ", 1)[1])
