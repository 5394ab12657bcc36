"""The files for people at the bundle's root: the README, and an installer that needs only Python."""

import io
import zipfile
from pathlib import Path

from models.bundle.contents import INSTALLER, BundleManifest
from models.bundle.progress import megabytes

INSTALLER_MODULES = (
    "models/__init__.py",
    "models/errors.py",
    *(
        f"models/bundle/{name}.py"
        for name in (
            "__init__", "archive", "contents", "errors", "install", "installed", "packages", "placing", "progress",
            "signature", "target", "verify",
        )
    ),
    "scripts/__init__.py",
    "scripts/bundle.py",
)  # fmt: skip
"""The modules that verifying and installing need; standard library only."""
_MAIN = """\
import sys

if not (3, 11) <= sys.version_info[:2]:
    sys.exit("This needs Python 3.11 or 3.12, but runs on %d.%d. Use another: python3.11 ..." % sys.version_info[:2])

from scripts.bundle import main

sys.exit(main())
"""
_TEXT = """Callbox, for machines without a network
===================================================

This is Callbox {version} (commit {commit}), profile {profile}, {size},
made {created_at}. Everything it needs is in here.

What the machine needs
----------------------
Linux on x86-64, glibc {glibc} or later; Python {pythons} with venv, bash, make and
openssl 3 (Debian, Ubuntu: apt-get install python3-venv make openssl).{gpu}

Before you trust it
-------------------
Every file in here is listed in manifest.json with its SHA-256, and manifest.json is
signed. The signature is worth as much as the public key that you check it with: get
the key (operator.pub) from the person who made this bundle, and NOT from the medium
that this bundle came on. Then read its fingerprint to them over the telephone:

  openssl pkey -pubin -in operator.pub -outform DER | sha256sum

The installer beside this file ({installer}) is a copy for convenience. Whoever
could change the bundle could change the installer too: where that matters, bring the
installer the way the key comes, or use scripts/bundle.py from a Callbox you trust.

Check, then install
-------------------
  python3 {installer} verify  THIS-FOLDER-OR-TAR --key operator.pub
  python3 {installer} install THIS-FOLDER-OR-TAR --key operator.pub --into /srv/callbox
  cd /srv/callbox && make run PROFILE={profile}

A file that was changed, is missing or was added is named, and then nothing is
installed. If an install is interrupted, run the same command again. To update, stop
Callbox and install the new bundle into the same folder: configs/site.yaml, .env and
what you changed in configs/ stay, and correct models are not copied again.

What is in here
---------------
  source/      Callbox itself            wheels/    its Python packages
  models/      models                    server/    livekit-server {livekit_server}
  licences/    licence texts             sbom.cdx.json  bill of materials (CycloneDX)
"""
_GPU = "\nAn NVIDIA GPU with its driver, and a C compiler (apt-get install gcc libc6-dev python3-dev)."


def readme(manifest: BundleManifest) -> bytes:
    """The bundle's README.txt."""
    return _TEXT.format(
        version=manifest.version,
        commit=manifest.commit[:12],
        profile=manifest.profile,
        size=megabytes(manifest.size),
        created_at=manifest.created_at,
        glibc=manifest.glibc,
        pythons=" or ".join(manifest.pythons),
        livekit_server=manifest.livekit_server,
        installer=INSTALLER,
        gpu=_GPU if manifest.profile == "gpu" else "",
    ).encode()


def installer(source: Path) -> bytes:
    """A zip that Python can run, made from `source`'s files: the same bytes for the same commit."""
    content = io.BytesIO(b"#!/usr/bin/env python3\n")
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in INSTALLER_MODULES:
            archive.writestr(zipfile.ZipInfo(name), (source / name).read_bytes())
        archive.writestr(zipfile.ZipInfo("__main__.py"), _MAIN)
    return content.getvalue()
