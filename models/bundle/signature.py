"""Checks the manifest's Ed25519 signature, with `cryptography` or the openssl program.

Standard library only; `cryptography` is used if it happens to be installed.
"""

import base64
import binascii
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from models.bundle.errors import BundleRefused, TargetUnfit

SIGNATURE_BYTES = 64
_DER_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes (RFC 8410)."""


def read_public_key(path: Path) -> bytes:
    """The 32 bytes of a PEM public key. Raises BundleRefused for anything else."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleRefused(f"{path}: the public key cannot be read ({error}).") from None
    body = "".join(line.strip() for line in lines if "-----" not in line)
    try:
        der = base64.b64decode(body, validate=True)
    except binascii.Error:
        der = b""
    if "-----BEGIN PUBLIC KEY-----" not in lines[0] or not der.startswith(_DER_PREFIX) or len(der) != 44:
        raise BundleRefused(f"{path} is not an Ed25519 public key in PEM, as `bundle keygen` writes.")
    return der[len(_DER_PREFIX) :]


def fingerprint(public_key: bytes) -> str:
    """What two people compare over the telephone: the SHA-256 of the key in DER, in groups of four."""
    digest = hashlib.sha256(_DER_PREFIX + public_key).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def public_pem(public_key: bytes) -> str:
    """The key as a PEM file."""
    body = base64.b64encode(_DER_PREFIX + public_key).decode("ascii")
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def is_signed(content: bytes, signature: bytes, public_key: bytes, *, openssl_only: bool = False) -> bool:
    """Whether `signature` is the key's signature of `content`. Raises TargetUnfit if this machine cannot check it."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    if not openssl_only:
        try:
            return _by_cryptography(content, signature, public_key)
        except ImportError:
            pass
    return _by_openssl(content, signature, public_key)


def _by_cryptography(content: bytes, signature: bytes, public_key: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _by_openssl(content: bytes, signature: bytes, public_key: bytes) -> bool:
    program = shutil.which("openssl")
    if program is None:
        raise TargetUnfit(
            "The signature cannot be checked: neither the openssl program (Debian, Ubuntu: apt-get install openssl)"
            " nor the Python package cryptography is installed. Nothing was installed."
        )
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in ("content", "signature", "key")}
        paths["content"].write_bytes(content)
        paths["signature"].write_bytes(signature)
        paths["key"].write_text(public_pem(public_key), encoding="ascii")
        command = [program, "pkeyutl", "-verify", "-pubin", "-inkey", str(paths["key"]), "-rawin"]
        command += ["-in", str(paths["content"]), "-sigfile", str(paths["signature"])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return True
    if "Signature Verification Failure" in done.stdout + done.stderr:
        return False
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    raise TargetUnfit(
        f"{program} cannot check an Ed25519 signature ({last}). OpenSSL 3.0 or later is needed. Nothing was installed."
    )
