"""Firewalls: the real nft and ufw in a network of the test's own where they are installed, and what real ones printed
(ufw 0.36.2, firewalld 1.3.3) where they are not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.operate.doctor.firewall import FirewallFacts, check, find_firewall, judge, ports_for_callers
from agent.operate.doctor.report import Outcome
from agent.settings import PROFILES, Network
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

PRINTED = Path(__file__).parent / "printed"
LAN = Network(address="192.0.2.7")
NEEDED = ("8080/tcp", "7882/udp")
NO_UFW = Path("no-such-file")
FIREWALLD = """
case "$*" in
--state) echo running ;;
--get-zone-of-interface=eth0) echo clinic ;;
--get-zone-of-interface=*) echo 'no zone'; exit 2 ;;
*--query-port=8080/tcp|"--zone=clinic --query-port=7882/udp") echo yes ;;
*) echo no; exit 1 ;;
esac
"""
REFUSED = """
echo 'Authorization failed.' >&2
echo '    Make sure polkit agent is running or run the application as superuser.' >&2
exit 253
"""


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_ufws_rules_for_a_port_and_the_others(programs: Path) -> None:
    settings = programs / "ufw.conf"
    settings.write_text("# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n")
    _program(programs, "ufw", f"/bin/cat '{PRINTED / 'ufw_status_verbose.txt'}'")
    asked = ("8080/tcp", "8080/udp", "7882/udp", "22/udp", "7881/tcp", "9000/tcp")
    facts = find_firewall(asked, "eth0", settings)
    # 7881 only in a range, 9000 denied
    assert facts == FirewallFacts(name="ufw", unlisted=("8080/udp", "7881/tcp", "9000/tcp"))


def test_ufw_that_lets_everything_in_by_default(programs: Path) -> None:
    settings = programs / "ufw.conf"
    settings.write_text("ENABLED=yes\n")
    _program(programs, "ufw", "echo 'Status: active'; echo 'Default: allow (incoming), allow (outgoing)'")
    assert find_firewall(NEEDED, "eth0", settings) == FirewallFacts(name="ufw")


def test_ufw_answers_only_root(programs: Path) -> None:
    settings = programs / "ufw.conf"
    settings.write_text("ENABLED=yes\n")
    _program(programs, "ufw", "echo 'ERROR: You need to be root to run this script' >&2; exit 1")
    facts = find_firewall(NEEDED, "eth0", settings)
    assert facts.unknown
    row = judge(facts, NEEDED)
    assert row.outcome is Outcome.WARNING
    assert "sudo ufw allow 8080/tcp && sudo ufw allow 7882/udp" in row.fix


def test_inactive_ufw_is_not_asked(programs: Path) -> None:
    settings = programs / "ufw.conf"
    settings.write_text("ENABLED=no\n")
    assert find_firewall(NEEDED, "eth0", settings).name == ""


@pytest.mark.parametrize(("interface", "unlisted"), [("eth0", ()), ("eth1", ("7882/udp",)), ("", ("7882/udp",))])
def test_firewalld_is_asked_about_the_interfaces_zone(
    programs: Path, interface: str, unlisted: tuple[str, ...]
) -> None:
    _program(programs, "firewall-cmd", FIREWALLD)
    assert find_firewall(NEEDED, interface, NO_UFW) == FirewallFacts(name="firewalld", unlisted=unlisted)


def test_firewalld_may_refuse_to_answer(programs: Path) -> None:
    _program(programs, "firewall-cmd", REFUSED)
    facts = find_firewall(NEEDED, "eth0", NO_UFW)
    assert (facts.name, facts.unlisted) == ("firewalld", ())
    assert facts.unknown


@pytest.mark.parametrize("script", ["echo 'not running' >&2; exit 252", "echo 'Error: DBUS_ERROR: ...' >&2; exit 36"])
def test_inactive_firewalld_is_not_asked(programs: Path, script: str) -> None:
    _program(programs, "firewall-cmd", script)
    assert find_firewall(NEEDED, "eth0", NO_UFW).name == ""


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("ufw", "`sudo ufw allow 7882/udp`"),
        ("firewalld", "`sudo firewall-cmd --permanent --add-port=7882/udp && sudo firewall-cmd --reload`"),
    ],
)
def test_a_port_without_a_rule_comes_with_the_command_that_opens_it(name: str, fix: str) -> None:
    row = judge(FirewallFacts(name=name, unlisted=("7882/udp",)), NEEDED)
    assert (row.outcome, row.found) == (Outcome.WARNING, f"{name} is active but has no rule for 7882/udp")
    assert row.fix.startswith(fix)


def test_what_cannot_be_determined_is_not_guessed(programs: Path) -> None:
    row = judge(find_firewall(NEEDED, "eth0", NO_UFW), NEEDED)
    assert row.outcome is Outcome.SKIPPED
    assert "callers need 8080/tcp, 7882/udp" in row.found


def test_over_https_callers_do_not_need_the_signalling_port() -> None:
    plain = ports_for_callers(LAN)
    assert plain == ("7880/tcp", "7882/udp", "8080/tcp", "7881/tcp")
    secure = LAN.model_copy(update={"tls_cert": Path("c"), "tls_key": Path("k")})
    assert ports_for_callers(secure) == ("7882/udp", "8080/tcp", "7881/tcp")


def test_on_loopback_there_is_nothing_to_let_in(install: Install) -> None:
    (row,) = check(install())
    assert row.outcome is Outcome.SKIPPED


ASK = """
from agent.operate.doctor.firewall import find_firewall, judge
facts = find_firewall(("8080/tcp", "7882/udp"), "lo")
print(facts.name or "none", ",".join(facts.unlisted) or "-", judge(facts, ("8080/tcp", "7882/udp")).outcome)
"""


def _ask_in_own_network(setup: str, *, program: str) -> str:
    """What is found in a network and with mounts of its own, where `setup` has run; nothing here is changed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here")
    inside = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("this user may not make a network of its own")
    script = f'set -e; {setup}; exec "$0" -c "$1"'
    done = subprocess.run(
        [*inside, "sh", "-c", script, sys.executable, ASK],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROFILES.parent.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("rules", "answer"),
    [
        ("", "none - ok"),
        ("add table ip t; add chain ip t INPUT { type filter hook input priority 0; policy accept; }", "none - ok"),
        (
            "add table ip t; add chain ip t i { type filter hook input priority 0; policy drop; }",
            "nftables - skipped",
        ),
        (
            "add table inet t; add chain inet t i { type filter hook input priority 0; policy accept; };"
            "add rule inet t i ct state { established, related } accept; add rule inet t i drop",
            "nftables - skipped",
        ),
    ],
)
def test_the_real_kernel_says_whether_anything_filters(rules: str, answer: str) -> None:
    assert _ask_in_own_network(f"echo '{rules}' | nft -f -", program="nft") == answer


def test_the_real_ufw() -> None:
    if not os.access("/etc/ufw/user.rules", os.R_OK):
        pytest.skip("ufw is not installed here, or this user may not read its rules")
    setup = (
        "folder=$(mktemp -d); mount -t tmpfs tmpfs $folder; cp -r /etc/ufw/. $folder; mount --bind $folder /etc/ufw;"
        "ip link set lo up; ufw --force enable; ufw allow 8080/tcp"
    )
    assert _ask_in_own_network(setup, program="ufw") == "ufw 7882/udp warning"
    setup += "; ufw allow from 192.168.0.0/16 to any port 7882 proto udp"
    assert _ask_in_own_network(setup, program="ufw") == "ufw - ok"
