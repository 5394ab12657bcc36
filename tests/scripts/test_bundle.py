"""The command, and the copy of it that a bundle carries: nothing but Python's standard library."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.bundle.readme import INSTALLER_MODULES, installer
from models.bundle.signature import fingerprint, read_public_key
from scripts.bundle import main
from tests.models.bundle.synthetic import SOURCE, Operator, make_bundle, make_operator

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
BARE = (sys.executable, "-I", "-S")
"""Python without site-packages, as on a machine on which nothing was installed."""


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return make_operator(tmp_path / "keys")


@pytest.fixture
def bundle(tmp_path: Path, operator: Operator) -> Path:
    return make_bundle(tmp_path / "bundle", operator)


@pytest.fixture
def pyz(tmp_path: Path) -> Path:
    path = tmp_path / "callbox-bundle.pyz"
    path.write_bytes(installer(ROOT))
    return path


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*map(str, command)], cwd="/", capture_output=True, text=True, check=False)


def test_keygen_makes_a_pair_and_says_its_fingerprint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", str(tmp_path / "clinic")]) == 0
    assert capsys.readouterr().out.strip() == fingerprint(read_public_key(tmp_path / "clinic.pub"))
    assert main(["keygen", str(tmp_path / "clinic")]) == 1


def test_carried_installer_verifies_on_a_bare_machine(pyz: Path, bundle: Path, operator: Operator) -> None:
    done = run(*BARE, pyz, "verify", bundle, "--key", operator.public)
    assert done.returncode == 0, done.stderr
    assert "every file is as signed" in done.stdout


def test_carried_installer_installs_on_a_bare_machine(
    pyz: Path, bundle: Path, operator: Operator, tmp_path: Path
) -> None:
    done = run(*BARE, pyz, "install", bundle, "--key", operator.public, "--into", tmp_path / "box")
    assert done.returncode == 0, done.stderr
    assert "make run PROFILE=demo" in done.stdout
    assert (tmp_path / "box" / "agent" / "__main__.py").exists()


def test_carried_installer_refuses_a_damaged_bundle(
    pyz: Path, bundle: Path, operator: Operator, tmp_path: Path
) -> None:
    (bundle / SOURCE).write_text("import os\n")
    done = run(*BARE, pyz, "install", bundle, "--key", operator.public, "--into", tmp_path / "box")
    assert done.returncode == 1
    assert SOURCE in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "box").exists()


def test_carried_installer_sends_makers_of_bundles_to_a_checkout(pyz: Path, tmp_path: Path) -> None:
    done = run(*BARE, pyz, "keygen", tmp_path / "x")
    assert done.returncode == 1
    assert "in a checkout of Callbox" in done.stderr


def test_checkout_itself_verifies_without_any_package(bundle: Path, operator: Operator) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.bundle import main; sys.exit(main())"
    done = run(*BARE, "-c", program, "verify", bundle, "--key", operator.public)
    assert done.returncode == 0, done.stderr


def test_installer_is_the_same_bytes_every_time() -> None:
    assert installer(ROOT) == installer(ROOT)
    assert all((ROOT / name).is_file() for name in INSTALLER_MODULES)


def test_create_says_what_is_wrong_with_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["create", "--profile", "demo", "--out", str(tmp_path / "out"), "--key", str(tmp_path / "none.pem")]
    assert main(options) == 1
    assert "keygen operator" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
