"""Real certificates, made and signed by the test, and the microphone that browsers allow with them."""

import ipaddress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from agent.errors import ConfigError
from agent.operate.doctor.https import (
    CertificateFacts,
    check_certificate,
    judge_certificate,
    judge_microphone,
    read_certificate,
)
from agent.operate.doctor.report import Outcome, Row
from agent.settings import Network
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

NOW = datetime.now(UTC)
ADDRESS = "192.168.1.5"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def issue(
    *,
    name: str = "callbox",
    dns: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (ADDRESS,),
    days: tuple[float, float] = (-1, 365.5),
    by: Issued | None = None,
    key: Key | None = None,
) -> Issued:
    """Signed by `by`, else by itself; valid from and to so many days from now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    hosts = [*map(x509.DNSName, dns), *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return Issued(builder.sign(by.key if by else key, hashes.SHA256()), key)


def write(folder: Path, issued: Issued, *chain: Issued, key: Key | None = None, password: str = "") -> Network:
    """Settings that serve the certificate."""
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        locked = serialization.BestAvailableEncryption(password.encode())
    pem = (key or issued.key).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption_algorithm=locked
    )
    (folder / "cert.pem").write_bytes(issued.pem + b"".join(link.pem for link in chain))
    (folder / "key.pem").write_bytes(pem)
    (folder / "key.pem").chmod(0o600)
    return Network(address=ADDRESS, tls_cert=folder / "cert.pem", tls_key=folder / "key.pem")


def examined(network: Network) -> Row:
    assert network.tls_cert
    assert network.tls_key
    return judge_certificate(read_certificate(network.tls_cert, network.tls_key), network, now=NOW)


def test_a_certificate_of_the_clinics_own_authority(tmp_path: Path) -> None:
    authority = issue(name="Clinic CA", addresses=())
    row = examined(write(tmp_path, issue(by=authority), authority))
    assert (row.outcome, row.found) == (Outcome.OK, f"for {ADDRESS}, 365 days left")


def test_for_a_self_signed_one_what_browsers_do_is_said(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue()))
    assert row.outcome is Outcome.OK
    assert "self-signed" in row.found


def test_an_expired_one(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(days=(-100, -3))))
    assert row.outcome is Outcome.FAILED
    assert f"expired on {NOW - timedelta(days=3):%Y-%m-%d}" in row.found


def test_one_not_valid_before_tomorrow(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(days=(1, 100))))
    assert row.outcome is Outcome.FAILED
    assert "is not valid before" in row.found


def test_one_that_expires_soon(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(days=(-100, 12.5))))
    assert row.outcome is Outcome.WARNING
    assert "12 days left" in row.found


def test_the_key_of_another_certificate(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(), key=issue().key))
    assert row.outcome is Outcome.FAILED
    assert "is not the key of" in row.found


def test_one_for_another_address(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(addresses=("192.168.1.6",))))
    assert row.outcome is Outcome.FAILED
    assert f"not for {ADDRESS}" in row.found


def test_one_for_a_name_must_be_opened_by_that_name(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(dns=("callbox.clinic.example",), addresses=())))
    assert row.outcome is Outcome.WARNING
    assert "https://callbox.clinic.example:8080" in row.fix


def test_one_that_names_no_host(tmp_path: Path) -> None:
    assert "names no host" in examined(write(tmp_path, issue(addresses=()))).found


def test_a_key_that_others_may_read(tmp_path: Path) -> None:
    network = write(tmp_path, issue())
    assert network.tls_key
    network.tls_key.chmod(0o644)
    row = examined(network)
    assert row.outcome is Outcome.WARNING
    assert row.fix == f"`chmod 600 {network.tls_key}`"


def test_a_chain_in_the_wrong_order(tmp_path: Path) -> None:
    row = examined(write(tmp_path, issue(by=issue(name="Clinic CA")), issue(name="Other CA")))
    assert row.outcome is Outcome.WARNING
    assert "out of order" in row.found


@pytest.mark.parametrize("name", ["cert.pem", "key.pem"])
@pytest.mark.parametrize("content", [None, b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    network = write(tmp_path, issue())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        examined(network)


def test_a_key_with_a_password_would_ask_at_every_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"protected by a password.*openssl pkey"):
        examined(write(tmp_path, issue(), password="secret"))


def test_a_key_that_openssl_finds_too_short(tmp_path: Path) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(ConfigError, match="OpenSSL rejects"):
        examined(write(tmp_path, issue(key=short)))


def test_half_of_a_pair_in_the_settings(install: Install, tmp_path: Path) -> None:
    (row,) = check_certificate(install(network=Network(tls_cert=tmp_path / "cert.pem")))
    assert row.outcome is Outcome.FAILED
    assert "tls_key is not set" in row.found


def test_none_is_set(install: Install) -> None:
    (row,) = check_certificate(install())
    assert row.outcome is Outcome.SKIPPED


def test_the_settings_pair_is_read(install: Install, tmp_path: Path) -> None:
    (row,) = check_certificate(install(network=write(tmp_path, issue())))
    assert row.outcome is Outcome.OK


def test_on_loopback_localhost_will_do() -> None:
    facts = CertificateFacts(
        path="c", names=("localhost",), addresses=(), not_before=NOW - timedelta(1), not_after=NOW + timedelta(365)
    )
    assert judge_certificate(facts, Network(), now=NOW).outcome is Outcome.OK
    assert judge_certificate(replace(facts, names=("other",)), Network(), now=NOW).outcome is Outcome.WARNING


def test_on_loopback_http_will_do() -> None:
    assert judge_microphone(Network()).outcome is Outcome.OK


def test_in_the_network_browsers_refuse_it_over_http() -> None:
    row = judge_microphone(Network(address="192.168.1.5", web_port=8090))
    assert row.outcome is Outcome.FAILED
    assert "http://192.168.1.5:8090" in row.found
    assert "tls_cert" in row.fix


def test_with_a_certificate_they_allow_it() -> None:
    row = judge_microphone(Network(address="192.168.1.5", tls_cert=Path("c"), tls_key=Path("k")))
    assert row.outcome is Outcome.OK
    assert "https://192.168.1.5:8080" in row.found
