"""Which of a lock's files go into a bundle, and the metadata of wheels."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from models.bundle.errors import BundleNotMade
from models.bundle.lock import LockedPackage, read_lock
from models.bundle.wheel_metadata import NO_LICENCE, read_wheel
from models.bundle.wheels import Wheel, collect

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
A, B = "a" * 64, "b" * 64
LOCK = f"""\
tiny-name==1.0 ; python_full_version < '3.13' and sys_platform == 'linux' \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
old==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:{A}
old==3.0 ; python_full_version == '3.12.*' \\
    --hash=sha256:{B}
"""


def test_lock_is_read_for_one_python() -> None:
    tiny = LockedPackage(read_lock(LOCK, "3.11")[0].name, "1.0", frozenset({A, B}))
    assert [(package.name, package.version) for package in read_lock(LOCK, "3.11")] == [
        ("tiny-name", "1.0"),
        ("old", "2.0"),
    ]
    assert [package.version for package in read_lock(LOCK, "3.12")] == ["1.0", "3.0"]
    assert read_lock(LOCK, "3.12")[0] == tiny
    assert tiny.line() == f"tiny-name==1.0 --hash=sha256:{A} --hash=sha256:{B}"


@pytest.mark.parametrize("line", ["tiny>=1.0 --hash=sha256:aa", "tiny==1.0", "???"])
def test_line_that_is_no_pin_is_refused(line: str) -> None:
    with pytest.raises(BundleNotMade, match="make lock"):
        read_lock(line, "3.11")


@pytest.mark.parametrize("lock", ["cpu", "gpu", "uv"])
def test_the_products_locks_can_be_read(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    for python in ("3.11", "3.12"):
        packages = read_lock(text, python)
        assert packages
        assert len({package.name for package in packages}) == len(packages)


def make_wheel(path: Path, metadata: str, **texts: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    info = "-".join(path.name.split("-")[:2]) + ".dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: tiny\nVersion: 1.0\n{metadata}\n")
        for name, text in texts.items():
            archive.writestr(f"{info}/{name}", text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_file_with_a_hash_of_the_lock_is_taken_and_no_other(tmp_path: Path) -> None:
    stale = make_wheel(tmp_path / "w" / "tiny-0.9-py3-none-any.whl", "")
    right = make_wheel(tmp_path / "w" / "tiny-1.0-py3-none-any.whl", "")
    (package,) = read_lock(f"tiny==1.0 --hash=sha256:{right} --hash=sha256:{stale}", "3.11")
    (wheel,) = collect([package], tmp_path / "w", tmp_path / "built", 0)
    assert (wheel.path.name, wheel.sha256, wheel.is_built) == ("tiny-1.0-py3-none-any.whl", right, False)
    (other,) = read_lock(f"tiny==1.0 --hash=sha256:{A}", "3.11")
    with pytest.raises(BundleNotMade, match=r"tiny 1\.0: no file was downloaded that has a hash in the lock"):
        collect([other], tmp_path / "w", tmp_path / "built", 0)


@pytest.mark.parametrize(
    ("tags", "glibc"),
    [
        ("py3-none-any", (2, 5)),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", (2, 17)),
        ("cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64", (2, 17)),
        ("cp38-abi3-manylinux_2_34_x86_64", (2, 34)),
        ("cp311-cp311-manylinux1_x86_64", (2, 5)),
    ],
)
def test_glibc_of_a_wheel(tags: str, glibc: tuple[int, int]) -> None:
    (package,) = read_lock(f"tiny==1.0 --hash=sha256:{A}", "3.11")
    assert Wheel(package, Path(f"tiny-1.0-{tags}.whl"), A).glibc == glibc


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT\nLicense: something", "MIT"),
        ("License: BSD-3-Clause", "BSD-3-Clause"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License", "MIT License"),
        ("License: Apache License\n        and all of its text", "Apache License"),
        ("", NO_LICENCE),
    ],
)
def test_licence_is_what_the_authors_say(tmp_path: Path, metadata: str, licence: str) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    make_wheel(wheel, metadata)
    assert read_wheel(wheel).licence == licence


def test_licence_texts_are_found(tmp_path: Path) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    make_wheel(
        wheel, "", **{"licenses/LICENSE": "one", "licenses/vendor/x/NOTICE": "two", "COPYING": "three", "RECORD": "no"}
    )
    assert read_wheel(wheel).texts == {"LICENSE": b"one", "vendor-x-NOTICE": b"two", "COPYING": b"three"}


def test_broken_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "tiny-1.0-py3-none-any.whl").write_bytes(b"PK")
    with pytest.raises(BundleNotMade, match=r"tiny-1\.0-py3-none-any\.whl is not a complete wheel"):
        read_wheel(tmp_path / "tiny-1.0-py3-none-any.whl")
