"""Both ways to check a signature agree, and other kinds of keys are refused."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from models.bundle.errors import BundleNotMade, BundleRefused, TargetUnfit
from models.bundle.keys import load_private_key, make_key_pair
from models.bundle.signature import fingerprint, is_signed, read_public_key
from tests.models.bundle.synthetic import Operator

pytestmark = pytest.mark.unit

CONTENT = b'{"format": 1}\n'


@pytest.mark.parametrize("openssl_only", [False, True])
def test_right_signature_holds_and_no_other(operator: Operator, openssl_only: bool) -> None:
    public = read_public_key(operator.public)
    signature = operator.key.sign(CONTENT)
    wrong = bytes([signature[0] ^ 1]) + signature[1:]
    assert is_signed(CONTENT, signature, public, openssl_only=openssl_only)
    assert not is_signed(CONTENT + b" ", signature, public, openssl_only=openssl_only)
    assert not is_signed(CONTENT, wrong, public, openssl_only=openssl_only)
    assert not is_signed(CONTENT, signature[:-1], public, openssl_only=openssl_only)


def test_without_anything_that_can_check_it_says_what_to_install(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetUnfit, match="apt-get install openssl"):
        is_signed(CONTENT, operator.key.sign(CONTENT), read_public_key(operator.public), openssl_only=True)


def test_fingerprint_is_what_the_readme_has_people_compute(operator: Operator) -> None:
    command = ["openssl", "pkey", "-pubin", "-in", str(operator.public), "-outform", "DER"]
    der = subprocess.run(command, capture_output=True, check=True).stdout
    digest = subprocess.run(["sha256sum"], input=der, capture_output=True, check=True).stdout.decode().split()[0]
    assert fingerprint(read_public_key(operator.public)).replace(" ", "") == digest


def test_private_key_is_its_owners_alone(operator: Operator) -> None:
    assert operator.private.stat().st_mode & 0o777 == 0o600
    operator.private.chmod(0o640)
    with pytest.raises(BundleNotMade, match="can be read by others"):
        load_private_key(operator.private)


def test_keys_are_not_overwritten(operator: Operator) -> None:
    before = operator.private.read_bytes()
    with pytest.raises(BundleNotMade, match="exists and was not overwritten"):
        make_key_pair(operator.private)
    assert operator.private.read_bytes() == before


def test_keys_of_other_kinds_are_refused(tmp_path: Path, operator: Operator) -> None:
    key = generate_private_key(SECP256R1())
    private, public = tmp_path / "ec.pem", tmp_path / "ec.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(BundleNotMade, match="not an Ed25519 key"):
        load_private_key(private)
    for path in (public, operator.private, tmp_path / "none.pub"):
        with pytest.raises(BundleRefused, match=r"not an Ed25519 public key|cannot be read"):
            read_public_key(path)
