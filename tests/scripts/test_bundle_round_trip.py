"""A bundle of the last commit, made here and installed where there is no network: it starts, and takes a caller's page.

Making it needs a package index (pip's files are kept in .cache/bundle); everything after that runs in a network namespace
without a route, with an empty home and nothing but Debian's own programs on PATH.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from models.bundle.errors import BundleRefused
from models.bundle.verify import verify
from scripts.bundle import main
from tests.models.bundle.synthetic import Operator, make_operator

pytestmark = pytest.mark.call

ROOT = Path(__file__).parents[2]
ISOLATE = ("unshare", "--net", "--map-root-user")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")

_INSTALL = """
set -euo pipefail
ip link set lo up
if (exec 3<>/dev/tcp/192.0.2.1/9) 2>/dev/null; then echo "there is a way out" >&2; exit 1; fi
"$PYTHON" -I "$INSTALLER" verify "$BUNDLE" --key "$KEY"
"$PYTHON" -I "$INSTALLER" install "$BUNDLE" --key "$KEY" --into "$BOX"
cd "$BOX"
make --silent setup livekit turn-model >steps.txt 2>&1
"""

_RUN = """
import signal, subprocess, sys, urllib.request

with subprocess.Popen(
    [".venv/bin/python", "-m", "agent", "run", "--profile", "demo"],
    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
) as callbox:
    try:
        for line in callbox.stdout:
            sys.stderr.write(line)
            if "Callbox is ready: http://127.0.0.1:8080" in line:
                break
        else:
            sys.exit("it was never ready")
        for address in ("http://127.0.0.1:8080/", "http://127.0.0.1:8081/readyz"):
            with urllib.request.urlopen(address, timeout=30) as answer:
                print(address, answer.status)
    finally:
        callbox.send_signal(signal.SIGINT)
        sys.stderr.write(callbox.stdout.read())
print("ended with", callbox.returncode)
"""


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Who makes the bundle."""
    return make_operator(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, operator: Operator) -> Path:
    """Of the demo profile."""
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout, and bundles are made from one")
    out = tmp_path_factory.mktemp("made") / "callbox-demo"
    assert main(["create", "--profile", "demo", "--out", str(out), "--key", str(operator.private)]) == 0
    return out


def test_installed_offline_it_runs(bundle: Path, operator: Operator, tmp_path: Path) -> None:
    box = tmp_path / "box"
    (tmp_path / "home").mkdir()
    environment = {
        "PATH": SYSTEM_PATH,
        "HOME": str(tmp_path / "home"),
        "PYTHON": PYTHON,
        "INSTALLER": str(bundle / "callbox-bundle.pyz"),
        "BUNDLE": str(bundle),
        "KEY": str(operator.public),
        "BOX": str(box),
    }
    _isolated(["bash", "-c", _INSTALL], environment, tmp_path)
    steps = (box / "steps.txt").read_text()
    assert "==>" not in steps, "make found something to install"
    assert "already there" in steps
    inside = f'ip link set lo up; exec "{box}/.venv/bin/python" -c "$RUN"'
    said = _isolated(["bash", "-c", inside], {**environment, "RUN": _RUN}, box)
    assert said.split() == [
        "http://127.0.0.1:8080/",
        "200",
        "http://127.0.0.1:8081/readyz",
        "200",
        "ended",
        "with",
        "0",
    ]
    assert (box / ".env").stat().st_mode & 0o777 == 0o600


def test_wheel_that_changes_after_the_bundle_was_verified_is_not_installed(bundle: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    shutil.copytree(bundle / "wheels", wheels, copy_function=os.link)
    (victim,) = wheels.glob("sniffio-*.whl")
    content = victim.read_bytes()
    victim.unlink()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(victim, "w") as after:
        for member in before.infolist():
            after.writestr(member, before.read(member))
        after.writestr("sniffio/evil.py", "")
    command = ["bash", str(bundle / "source" / "scripts" / "install_python.sh"), "cpu", str(tmp_path / "venv")]
    environment = {"PATH": SYSTEM_PATH, "HOME": str(tmp_path), "PYTHON": PYTHON, "CALLBOX_WHEELS": str(wheels)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Hash mismatch for `sniffio" in done.stderr
    assert not (tmp_path / "venv" / ".locked").exists()


def test_what_is_in_it_is_accounted_for(bundle: Path, operator: Operator) -> None:
    manifest = verify(bundle, operator.public).manifest
    wheels = {file.path.removeprefix("wheels/"): file for file in manifest.of("wheels") if file.path.endswith(".whl")}
    lock = "".join((bundle / "source" / "requirements" / f"{name}.txt").read_text() for name in ("cpu", "uv"))
    built = (bundle / "wheels" / "built.txt").read_text()
    assert {name for name, file in wheels.items() if f"sha256:{file.sha256}" not in lock + built} == set()
    assert all(f"sha256:{file.sha256}" in lock or "none-any" in name for name, file in wheels.items())
    components = json.loads((bundle / "sbom.cdx.json").read_text())["components"]
    files = {part["value"] for component in components for part in component.get("properties", [])}
    assert set(wheels) <= files
    assert {"livekit-server", "silero-vad", "smart-turn", "demo-llm"} <= {component["name"] for component in components}
    licences = (bundle / "licences" / "README.txt").read_text()
    assert "GPL-3.0-or-later" in next(line for line in licences.splitlines() if line.startswith("python/piper-tts-"))
    assert (bundle / "licences" / "callbox" / "NOTICE").is_file()


def test_it_carries_what_git_tracks_and_nothing_else(bundle: Path, operator: Operator) -> None:
    commit = verify(bundle, operator.public).manifest.commit
    listing = ["git", "ls-tree", "-r", "--name-only", "-z", commit]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    carried = {str(path.relative_to(bundle / "source")) for path in (bundle / "source").rglob("*") if path.is_file()}
    assert carried == set(names) - {"", "models/lock.yaml"}


@pytest.mark.parametrize("part", ["models", "wheels", "source", "server"])
def test_a_bit_that_flips_on_the_way_is_found(bundle: Path, operator: Operator, tmp_path: Path, part: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy, copy_function=os.link)
    victim = max((path for path in (copy / part).rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 0x10
    victim.unlink()  # the others keep their bytes
    victim.write_bytes(content)
    with pytest.raises(BundleRefused, match=f"'{victim.relative_to(copy)}' was changed") as caught:
        verify(copy, operator.public)
    assert str(caught.value).count("was changed") == 1


def _isolated(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """What the command says in a network namespace of its own; skipped where the machine has none to give."""
    if (
        not shutil.which("ip")
        or not shutil.which("unshare")
        or subprocess.run([*ISOLATE, "true"], check=False).returncode
    ):
        pytest.skip("this machine does not let a process make a network namespace (unshare, ip)")
    done = subprocess.run(
        [*ISOLATE, *command], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
