"""The operator's key pair: made once; the private key stays on the machine that makes bundles."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from models.bundle.errors import BundleNotMade
from models.bundle.signature import public_pem

OTHERS = 0o077
"""Permissions on a private key that only its owner may have."""


def make_key_pair(private: Path) -> Path:
    """Write the private key (mode 0600) and the public key beside it; returns the latter's path. Overwrites nothing."""
    public = private.with_suffix(".pub")
    for path in (private, public):
        if path.exists():
            raise BundleNotMade(f"{path} exists and was not overwritten. Choose another name.")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        private.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
        public.write_text(public_pem(public_bytes(key)), encoding="ascii")
    except OSError as error:
        raise BundleNotMade(f"{private} cannot be written ({error.strerror}).") from None
    return public


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Raises BundleNotMade unless this is an Ed25519 private key that only its owner can read."""
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
        key = load_pem_private_key(content, password=None)
    except OSError as error:
        raise BundleNotMade(
            f"{path}: {error.strerror}. `python -m scripts.bundle keygen operator` makes a key pair."
        ) from None
    except (TypeError, ValueError) as error:
        raise BundleNotMade(f"{path} is not a PEM private key without a password ({error}).") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleNotMade(f"{path} is not an Ed25519 key. `python -m scripts.bundle keygen operator` makes one.")
    if mode & OTHERS:
        raise BundleNotMade(
            f"{path} can be read by others. Run `chmod 600 {path}`, or make a new key if anybody may have."
        )
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of its public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
