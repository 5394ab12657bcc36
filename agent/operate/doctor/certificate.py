"""Whether the certificate and its key can serve the page: readable, a pair, in date, and made for the address."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from agent.errors import ConfigError
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.settings import Network

CERTIFICATE = Subject("tls", "certificate")
RENEW_DAYS = 30
"""Earlier than this nobody needs to think of it."""
IN_SITE = "network.tls_cert and network.tls_key in configs/site.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """A certificate that can be read, and its key."""

    path: str
    names: tuple[str, ...]
    """DNS names it was made for."""
    addresses: tuple[str, ...]
    """IP addresses it was made for."""
    not_before: datetime
    not_after: datetime
    self_signed: bool = False
    chain_in_order: bool = True
    """Each certificate in the file is signed by the next one."""
    key_matches: bool = True
    key_path: str = ""
    key_mode: int = 0o600


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    network = installation.network
    if network.tls_cert is None and network.tls_key is None:
        yield CERTIFICATE.skipped("none is set: the page is served over HTTP")
    elif network.tls_cert is None or network.tls_key is None:
        missing = "tls_key" if network.tls_key is None else "tls_cert"
        yield CERTIFICATE.failed(
            f"network.{missing} is not set: HTTPS needs both", fix=f"Set both or neither of {IN_SITE}."
        )
    else:
        yield judge(read_certificate(network.tls_cert, network.tls_key), network, now=datetime.now(UTC))


def read_certificate(certificate: Path, key: Path) -> CertificateFacts:
    """Read both as the web server will. Raises ConfigError naming the file."""
    try:
        chain = x509.load_pem_x509_certificates(_content(certificate))
    except ValueError:
        raise ConfigError(f"{certificate} is not a PEM certificate. Correct {IN_SITE}.") from None
    try:
        private = load_pem_private_key(_content(key), password=None)
    except TypeError:
        plain = f"openssl pkey -in {key} -out plain.pem"
        raise ConfigError(f"{key} is locked with a password. Unlock it with `{plain}`.") from None
    except ValueError:
        raise ConfigError(f"{key} is not a PEM private key. Correct {IN_SITE}.") from None
    leaf = chain[0]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    matches = leaf.public_key().public_bytes(*form) == private.public_key().public_bytes(*form)
    if matches:
        _load_as_server(certificate, key)
    names, addresses = _made_for(leaf)
    return CertificateFacts(
        path=str(certificate),
        names=names,
        addresses=addresses,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        self_signed=leaf.issuer == leaf.subject,
        chain_in_order=all(_signed_by(lower, upper) for lower, upper in pairwise(chain)),
        key_matches=matches,
        key_path=str(key),
        key_mode=key.stat().st_mode & 0o777,
    )


def judge(facts: CertificateFacts, network: Network, *, now: datetime) -> Row:
    """What a browser that opens the announced address will think of it."""
    fix = f"Get a certificate for {network.address} and set {IN_SITE} to it."
    if not facts.key_matches:
        return CERTIFICATE.failed(f"{facts.key_path} is not the key of {facts.path}", fix=f"Correct {IN_SITE}.")
    if facts.not_after <= now:
        return CERTIFICATE.failed(f"{facts.path} expired on {facts.not_after:%Y-%m-%d}", fix=fix)
    if facts.not_before > now:
        return CERTIFICATE.failed(
            f"{facts.path} is valid from {facts.not_before:%Y-%m-%d} on, and this machine's clock says {now:%Y-%m-%d}",
            fix="Set the clock (row clock), or wait until then.",
        )
    if not (facts.names or facts.addresses):
        return CERTIFICATE.failed(
            f"{facts.path} names no host (subjectAltName is empty), which browsers refuse", fix=fix
        )
    return _judge_valid(facts, network, now)


def _judge_valid(facts: CertificateFacts, network: Network, now: datetime) -> Row:
    left = facts.not_after - now
    signed = "; signed by itself: browsers warn until it is installed on the callers' machines"
    found = f"for {', '.join((*facts.names, *facts.addresses))}, {left.days} days left{signed * facts.self_signed}"
    covered = network.address in facts.addresses or (network.is_loopback and "localhost" in facts.names)
    if not covered and not facts.names:
        fix = f"Get a certificate for {network.address} and set {IN_SITE} to it."
        return CERTIFICATE.failed(f"{found}: not for {network.address}, so browsers refuse it", fix=fix)
    if facts.key_mode & 0o077:
        return CERTIFICATE.warning(
            f"{found}; others may read {facts.key_path} (mode {facts.key_mode:04o})",
            fix=f"`chmod 600 {facts.key_path}`",
        )
    if left < timedelta(days=RENEW_DAYS):
        return CERTIFICATE.warning(found, fix=f"Renew it before {facts.not_after:%Y-%m-%d}, then restart Callbox.")
    if not facts.chain_in_order:
        return CERTIFICATE.warning(
            f"{found}; its chain is out of order",
            fix=f"Put the server's certificate first in {facts.path}, then each issuer.",
        )
    if not covered:
        page = f"https://{facts.names[0]}:{network.web_port}"
        return CERTIFICATE.warning(
            f"{found}; not for {network.address}",
            fix=f"Have callers open {page} (their DNS must know the name), not the address that `make run` prints.",
        )
    return CERTIFICATE.ok(found)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}). Correct {IN_SITE}, or its rights.") from None


def _load_as_server(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise ConfigError(f"{certificate} is refused by OpenSSL ({error.reason}). Get another one.") from None


def _made_for(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return tuple(names.get_values_for_type(x509.DNSName)), tuple(map(str, addresses))


def _signed_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
