"""scripts/install_livekit.sh with the tools of a machine chosen by the test; none of them reaches the internet."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[2] / "scripts" / "install_livekit.sh"
TOOLS = ("awk", "bash", "cat", "cut", "dirname", "env", "ln", "mkdir", "mv", "rm", "sha256sum", "tail", "tar", "uname")

Install = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that is all of PATH: the usual tools, but no Go, no curl and no livekit-server."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.fixture
def install(machine: Path, cache: Path) -> Install:
    environment = {**os.environ, "PATH": str(machine), "CALLBOX_CACHE": str(cache)}
    return lambda: subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)


def _program(path: Path, *lines: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(("#!/usr/bin/env bash", *lines, "")))
    path.chmod(0o755)


def _server(path: Path, version: str) -> None:
    _program(path, f'echo "livekit-server version {version}"')


def test_takes_the_one_on_path(install: Install, machine: Path, cache: Path) -> None:
    _server(machine / "livekit-server", "1.13.5")
    result = install()
    assert result.returncode == 0, result.stderr
    assert (cache / "bin" / "livekit-server").resolve() == machine / "livekit-server"
    assert "version 1.13.5\n" in result.stderr


def test_says_so_when_the_one_on_path_is_another_version(install: Install, machine: Path) -> None:
    _server(machine / "livekit-server", "1.9.0")
    result = install()
    assert result.returncode == 0
    assert "version 1.9.0 (Callbox is tested with 1.13.5)" in result.stderr


def test_what_is_there_is_left_alone_in_silence(install: Install, machine: Path, cache: Path) -> None:
    _server(cache / "bin" / "livekit-server", "1.13.5")
    _program(machine / "go", "exit 1")
    result = install()
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_builds_with_go_in_the_cache(install: Install, machine: Path, cache: Path) -> None:
    _program(
        machine / "go",
        'if [[ $1 == version ]]; then echo "go version go1.26.8 linux/amd64"; exit; fi',
        '[[ "$*" == "install github.com/livekit/livekit-server/cmd/server@v1.13.5" ]] || exit 2',
        'mkdir -p "$GOBIN"',
        "printf '#!/usr/bin/env bash\\necho livekit-server version 1.13.5\\n' > \"$GOBIN/server\"",
        'chmod +x "$GOBIN/server"',
    )
    (machine / "chmod").symlink_to(shutil.which("chmod") or "")
    result = install()
    assert result.returncode == 0, result.stderr
    assert "2 to 5 minutes" in result.stderr
    assert os.access(cache / "bin" / "livekit-server", os.X_OK)


def test_a_failed_build_is_told_and_the_next_way_is_tried(install: Install, machine: Path, cache: Path) -> None:
    _program(machine / "go", "[[ $1 == version ]] && exit", 'echo "dial tcp: no route" >&2', "exit 1")
    result = install()
    assert result.returncode == 1
    assert "the build failed: dial tcp: no route" in result.stderr
    assert "no curl on PATH" in result.stderr


def test_offline_says_what_to_bring_and_where_to_put_it(install: Install, cache: Path) -> None:
    result = install()
    assert result.returncode == 1
    assert "/v1.13.5/livekit_1.13.5_linux_" in result.stderr
    assert f"here: {cache}/livekit_1.13.5_linux_" in result.stderr


def test_an_archive_that_is_not_the_official_one_is_refused(install: Install, cache: Path) -> None:
    for arch in ("amd64", "arm64"):
        (cache / f"livekit_1.13.5_linux_{arch}.tar.gz").write_bytes(b"something else")
    result = install()
    assert result.returncode == 1
    assert "is not the official file" in result.stderr
    assert not (cache / "bin" / "livekit-server").exists()


def test_a_binary_that_does_not_run_here_is_replaced(install: Install, machine: Path, cache: Path) -> None:
    _program(cache / "bin" / "livekit-server", "exit 1")
    _server(machine / "livekit-server", "1.13.5")
    assert install().returncode == 0
    assert (cache / "bin" / "livekit-server").is_symlink()
