"""Small complete bundles, and ways to damage them."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle.contents import (
    BUILT_LOCK,
    INSTALLER,
    LIVEKIT_SERVER,
    MANIFEST,
    README,
    SIGNATURE,
    BundleManifest,
    parse_manifest,
)
from models.bundle.keys import load_private_key, make_key_pair, public_bytes
from models.bundle.signature import fingerprint
from models.bundle.writer import BundleWriter, write_tar

PYTHONS = ("3.11", "3.12")
MODEL = "models/big-model/model.bin"
WHEEL = "wheels/tiny-1.0-py3-none-any.whl"
SOURCE = "source/agent/__main__.py"
CONFIG = "source/configs/clinic.yaml"

INSTALL_PYTHON = """#!/usr/bin/env bash
# Stands for scripts/install_python.sh: leaves what it was called with.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .venv/bin
ls "$CALLBOX_WHEELS" >.venv/wheels
cat "$CALLBOX_WHEELS/built.txt" >.venv/built
echo "$1 $PYTHON" >.venv/called
ln -sf "$PYTHON" .venv/bin/python
"""
FILES: dict[str, bytes] = {
    SOURCE: b"print('ready')\n",
    CONFIG: b"name: Harbour Clinic\n",
    "source/models/manifest.yaml": b"models: {}\n",
    "source/scripts/install_python.sh": INSTALL_PYTHON.encode(),
    "source/agent/old.py": b"OLD = True\n",
    WHEEL: b"not really a wheel",
    BUILT_LOCK: b"# none\n",
    MODEL: b"weights " * 4000,
    LIVEKIT_SERVER: b"#!/bin/sh\necho livekit-server version 1.13.5\n",
    "licences/README.txt": b"MIT\n",
    INSTALLER: b"installer",
    README: b"read me\n",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator who signs."""

    private: Path
    public: Path

    @property
    def key(self) -> Ed25519PrivateKey:
        """The private key."""
        return load_private_key(self.private)


def make_operator(folder: Path, name: str = "operator") -> Operator:
    """A new operator, with a new key pair."""
    private = folder / f"{name}.pem"
    return Operator(private, make_key_pair(private))


def make_bundle(folder: Path, operator: Operator, **changes: bytes | None) -> Path:
    """A complete bundle. `changes`: other contents by path, None for a file that this bundle does not have."""
    writer = BundleWriter(folder)
    for path, content in {**FILES, **changes}.items():
        if content is not None:
            writer.add_bytes(path, content, executable=path.endswith((".sh", "-server")))
    manifest = BundleManifest(
        version="1.0",
        commit="c" * 40,
        source_date_epoch=1_700_000_000,
        created_at="2026-01-01T00:00:00+00:00",
        profile="demo",
        package_set="cpu",
        pythons=PYTHONS,
        glibc="2.5",
        livekit_server="1.13.5",
        models=("big-model",),
        unpacked_packages_bytes=1000,
        signed_by=fingerprint(public_bytes(operator.key)),
        files=tuple(sorted(writer.files, key=lambda file: file.path)),
    )
    sign(folder, manifest.to_bytes(), operator)
    return folder


def sign(folder: Path, content: bytes, operator: Operator) -> None:
    """Write these bytes as the manifest, signed."""
    (folder / MANIFEST).write_bytes(content)
    (folder / SIGNATURE).write_bytes(operator.key.sign(content))


def make_tar(folder: Path, tar: Path) -> Path:
    """The same bundle as a tar."""
    manifest = parse_manifest((folder / MANIFEST).read_bytes())
    write_tar(folder, (MANIFEST, SIGNATURE), manifest.files, tar, epoch=0, advance=lambda count: None)
    return tar


def append(tar: Path, member: tarfile.TarInfo, content: bytes = b"") -> None:
    """Append a member."""
    member.size = len(content)
    with tarfile.open(tar, "a") as archive:
        archive.addfile(member, io.BytesIO(content))


def resign(folder: Path, operator: Operator, edit: Callable[[BundleManifest], BundleManifest]) -> None:
    """Change the manifest and sign it again, as somebody with the key could."""
    manifest = edit(parse_manifest((folder / MANIFEST).read_bytes()))
    sign(folder, manifest.to_bytes(), operator)


def edit_json(folder: Path, operator: Operator, **changes: object) -> None:
    """Change the manifest's JSON and sign it: something that no version of Callbox would write."""
    raw = json.loads((folder / MANIFEST).read_bytes())
    content = json.dumps({**raw, **changes}, sort_keys=True, indent=1) + "\n"
    sign(folder, content.encode(), operator)


def rename_listed(before: str, after: str) -> Callable[[BundleManifest], BundleManifest]:
    """An edit that lists a file under another path."""

    def edit(manifest: BundleManifest) -> BundleManifest:
        files = tuple(replace(file, path=after) if file.path == before else file for file in manifest.files)
        return replace(manifest, files=files)

    return edit
