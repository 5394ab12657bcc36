"""Whether livekit-server is installed, runs, and is the version that Callbox is tested with."""

import re
from collections.abc import Iterator
from pathlib import Path

from agent.operate.doctor.commands import ask
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.operate.supervisor.livekit_server import server_program

LIVEKIT = Subject("livekit_server", "livekit-server")
INSTALLER = Path("scripts") / "install_livekit.sh"


def check(installation: Installation) -> Iterator[Row]:
    """One row. Raises ConfigError if it is not installed."""
    program = server_program()
    yield judge(program, find_version(program), pinned_version(installation.root))


def find_version(program: Path) -> str | None:
    """The version it reports; None if it does not run on this machine."""
    answer = ask([str(program), "--version"])
    found = re.search(r"version (\S+)", answer.output) if answer is not None and answer.status == 0 else None
    return found.group(1) if found else None


def pinned_version(root: Path) -> str:
    """The version that the installer gets; empty if the script does not say."""
    found = re.search(r"^version=(\S+)", (root / INSTALLER).read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


def judge(program: Path, version: str | None, tested: str) -> Row:
    """Another version may have other options."""
    if version is None:
        return LIVEKIT.failed(f"{program} does not run on this machine", fix=f"`rm {program} && make livekit`")
    if tested and version != tested:
        return LIVEKIT.warning(
            f"version {version}; Callbox is tested with {tested}",
            fix=f"`rm {program} && make livekit`, with no livekit-server on PATH.",
        )
    return LIVEKIT.ok(f"version {version}")
