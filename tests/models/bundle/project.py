"""A project small enough to bundle in a second, and a folder as its package index."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from models.bundle.readme import INSTALLER_MODULES
from tests.models.conftest import describe, pin, write_manifest

ROOT = Path(__file__).parents[3]
WEIGHTS = b"weights " * 5000
LICENCE_TEXT = b"you may\n"
_DIST_INFO = "Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_BACKEND = f"""
import os, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "onlysource-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in {{
            "onlysource.py": "",
            "onlysource-1.0.dist-info/METADATA": {_DIST_INFO.format(name="onlysource", licence="MIT")!r},
            "onlysource-1.0.dist-info/WHEEL": {_WHEEL!r},
            "onlysource-1.0.dist-info/RECORD": "",
        }}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return name
"""


def make_index(folder: Path) -> dict[str, str]:
    """Wheels of `tiny` and `uv`, and a package with only a source archive; SHA-256 by package."""
    folder.mkdir()
    for name, licence in (("tiny", "BSD-3-Clause"), ("uv", "MIT OR Apache-2.0")):
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            info = f"{name}-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", _DIST_INFO.format(name=name, licence=licence))
            archive.writestr(f"{info}/WHEEL", _WHEEL)
            archive.writestr(f"{info}/RECORD", "")
            archive.writestr(f"{info}/licenses/LICENSE", f"licence of {name}")
    _make_sdist(folder / "onlysource-1.0.tar.gz")
    return {path.name.split("-")[0]: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def make_project(root: Path, sha256s: dict[str, str]) -> Path:
    """A git checkout with everything that goes into a bundle; one model is pinned by a lock that is not in git."""
    texts = {
        "pyproject.toml": '[project]\nname = "callbox"\nversion = "7.8"\n',
        "requirements/cpu.txt": "".join(_pin(name, sha256s[name]) for name in ("tiny", "onlysource")),
        "requirements/uv.txt": _pin("uv", sha256s["uv"]),
        "LICENSE": "Apache\n",
        "NOTICE": "Callbox\n",
        ".gitignore": ".cache/\nmodels/store/\nmodels/lock.yaml\n",
        "configs/clinic.yaml": "name: Clinic\n",
        **{name: (ROOT / name).read_text() for name in INSTALLER_MODULES},
    }
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    _make_models(root / "models")
    for command in ("init -q", "add -A", "-c user.name=t -c user.email=t@t commit -q -m first"):
        subprocess.run(["git", *command.split()], cwd=root, check=True)
    program = root / ".cache" / "bin" / "livekit-server"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho livekit-server version 1.13.5\n")
    program.chmod(0o755)
    return root


def _make_models(root: Path) -> None:
    shipped = root / "demo" / "some_model"
    stored = root / "store" / "big-model"
    for folder, names in ((shipped, ("model.bin",)), (stored, ("model.bin", "LICENSE.txt"))):
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_bytes(WEIGHTS if name == "model.bin" else LICENCE_TEXT)
    repository = {"kind": "repository", "repository": "someone/big", "command": "scripts/download_models.sh"}
    entries: dict[str, dict[str, Any]] = {
        "small_model": describe(files=[pin("model.bin", WEIGHTS)]),
        "big_model": describe(stage="llm", source=repository, licence="Big Community", files=[]),
    }
    write_manifest(root, **entries)
    lines = [pin("model.bin", WEIGHTS), pin("LICENSE.txt", LICENCE_TEXT)]
    files = ", ".join(f"{{path: {line['path']}, size: {line['size']}, sha256: {line['sha256']}}}" for line in lines)
    (root / "lock.yaml").write_text(
        f"models:\n  big-model: {{repository: someone/big, revision: {'a' * 40}, files: [{files}]}}\n"
    )


def _pin(name: str, sha256: str) -> str:
    return f"{name}==1.0 ; python_full_version < '3.13' \\\n    --hash=sha256:{sha256}\n"


def _make_sdist(path: Path) -> None:
    texts = {
        "PKG-INFO": _DIST_INFO.format(name="onlysource", licence="MIT"),
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND,
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(f"onlysource-1.0/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
