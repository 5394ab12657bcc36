"""The systemd units: complete, alike in what confines them, and in agreement with the image and the settings."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.operate.supervisor.callbox import WORKER_READY_TIMEOUT_S
from agent.operate.supervisor.readiness import PROCESSES
from tests.house import dockerfile as docker

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "configs" / "systemd"
SERVICES = {process: UNITS / f"callbox-{process}.service" for process in PROCESSES}
IMAGE = docker.parse((ROOT / "Dockerfile.cuda").read_text()).image


class _Unit(configparser.RawConfigParser):
    """A unit file; settings that are written more than once are kept, line by line."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, dict_type=_Repeated, comment_prefixes=("#",))
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string(path.read_text())


class _Repeated(dict):  # type: ignore[type-arg]
    def __setitem__(self, key: object, value: object) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list):
            value = [*self[key], *value]
        super().__setitem__(key, value)


def _service(process: str) -> configparser.SectionProxy:
    return _Unit(SERVICES[process])["Service"]


def _environment(service: configparser.SectionProxy) -> dict[str, str]:
    return dict(word.split("=", 1) for word in service["Environment"].split())


def test_the_target_wants_each_process() -> None:
    wanted = _Unit(UNITS / "callbox.target")["Unit"]["Wants"].split()
    assert wanted == [path.name for path in SERVICES.values()]


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_is_started_and_waited_for_by_its_own_command(process: str) -> None:
    unit = _Unit(SERVICES[process])
    service = unit["Service"]
    assert f"python -m agent {process}" in service["ExecStart"]
    assert f"python -m agent ready {process} " in service["ExecStartPost"]
    assert "--pid $MAINPID" in service["ExecStartPost"]
    wait = re.search(r"--wait-s (\d+)", service["ExecStartPost"])
    assert wait
    assert int(service["TimeoutStartSec"]) > int(wait[1])
    assert unit["Unit"]["PartOf"] == "callbox.target"
    assert service["Restart"] == "on-failure"


def test_the_worker_may_take_as_long_as_under_make_run() -> None:
    assert int(_service("worker")["TimeoutStartSec"]) >= WORKER_READY_TIMEOUT_S


def test_all_are_confined_alike() -> None:
    own = {"ExecStart", "ExecStartPost", "TimeoutStartSec", "TimeoutStopSec", "BindReadOnlyPaths", "Environment"}
    own |= {
        "PrivateDevices",
        "MemoryDenyWriteExecute",
        "DevicePolicy",
        "DeviceAllow",
        "CacheDirectory",
        "CacheDirectoryMode",
    }
    shared = [{key: value for key, value in _service(process).items() if key not in own} for process in PROCESSES]
    assert shared[0] == shared[1] == shared[2]
    assert shared[0]["DynamicUser"] == shared[0]["NoNewPrivileges"] == "yes"
    assert shared[0]["IPAddressDeny"] == "any"
    assert shared[0]["LimitCORE"] == "0"


def test_secrets_are_in_no_unit_and_out_of_sight_of_the_processes() -> None:
    for process in PROCESSES:
        service = _service(process)
        assert service["EnvironmentFile"] == "@FOLDER@/.env"
        assert service["TemporaryFileSystem"] == "@FOLDER@:ro"
        assert "@FOLDER@/.env" not in service["BindReadOnlyPaths"].split()
        assert not [name for name in _environment(service) if "SECRET" in name or "KEY" in name]


def test_only_the_worker_may_use_a_gpu() -> None:
    assert _service("worker")["DeviceAllow"] == "char-nvidia* rw"
    assert _service("livekit")["PrivateDevices"] == _service("web")["PrivateDevices"] == "yes"


def test_the_worker_sees_what_it_imports(committed_files: list[Path]) -> None:
    seen = {Path(path).name for path in _service("worker")["BindReadOnlyPaths"].split()}
    assert {"agent", "serving", "models", "configs", ".venv"} <= seen
    for name in seen - {".venv"}:
        assert any(path.is_relative_to(ROOT / name) for path in committed_files)


def test_caches_are_those_of_the_image() -> None:
    ours, image = _environment(_service("worker")), IMAGE.environment()
    names = {name for name, value in image.items() if value.startswith("/var/cache/callbox")}
    assert {name: ours[name].replace("%C", "/var/cache") for name in names} == {name: image[name] for name in names}


def _folder(tmp_path: Path) -> Path:
    """Looks like an installation: a Python that runs, and something for livekit-server."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".cache" / "bin").mkdir(parents=True)
    (tmp_path / ".cache" / "bin" / "livekit-server").write_text("#!/bin/sh\n")
    for program in (tmp_path / ".venv" / "bin" / "python", tmp_path / ".cache" / "bin" / "livekit-server"):
        program.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here (Debian: apt-get install systemd)"
)
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    filled = tmp_path / "units"
    filled.mkdir()
    for unit in UNITS.iterdir():
        (filled / unit.name).write_text(unit.read_text().replace("@FOLDER@", str(folder)))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(filled.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in said.stderr.splitlines() if "callbox" in line] == []
    assert said.returncode == 0


def _install(folder: Path, units: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "install_units.sh", folder, units], capture_output=True, text=True, check=False
    )


def test_units_are_refused_for_a_folder_without_an_installation(tmp_path: Path) -> None:
    said = _install(tmp_path, tmp_path / "units")
    assert said.returncode == 1
    assert "make setup" in said.stderr or "only root" in said.stderr
    assert not (tmp_path / "units").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs units")
def test_a_folder_that_others_cannot_read_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    folder.chmod(0o700)
    said = _install(folder, tmp_path / "units")
    assert said.returncode == 1
    assert "everybody may read" in said.stderr
