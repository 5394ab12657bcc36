"""The operator's key pair: made once, the private half stays where bundles are made."""

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
"""Permissions that nobody but the owner may have on a private key."""


def make_key_pair(private: Path) -> Path:
    """Write the private key (mode 0600) and beside it the public one; returns the latter. Overwrites nothing."""
    public = private.with_suffix(".pub")
    for path in (private, public):
        if path.exists():
            raise BundleNotMade(f"{path} exists and is not overwritten. Choose another name.")
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
    """Raises BundleNotMade for anything but an Ed25519 private key that only its owner can read."""
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
        key = load_pem_private_key(content, password=None)
    except OSError as error:
        raise BundleNotMade(
            f"{path}: {error.strerror}. `python -m scripts.bundle keygen operator` makes a key pair."
        ) from None
    except (TypeError, ValueError) as error:
        raise BundleNotMade(f"{path} is no private key in PEM without a password ({error}).") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleNotMade(f"{path} is no Ed25519 key. `python -m scripts.bundle keygen operator` makes one.")
    if mode & OTHERS:
        raise BundleNotMade(
            f"{path} can be read by others. Run `chmod 600 {path}`, or make a new key if they may have."
        )
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of its public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
