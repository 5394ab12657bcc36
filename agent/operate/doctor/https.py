"""Whether browsers accept the page: they allow a microphone only over HTTPS or on this machine, and want a certificate
that is readable, not expired, made for the address, and matches its key."""

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

MICROPHONE = Subject("microphone", "browser microphone")
CERTIFICATE = Subject("tls", "certificate")
RENEW_DAYS = 30
"""A certificate with fewer days left is worth a warning."""
IN_SITE = "network.tls_cert and network.tls_key in configs/site.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """A readable certificate and its key."""

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


def check_microphone(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge_microphone(installation.network)


def check_certificate(installation: Installation) -> Iterator[Row]:
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
        yield judge_certificate(read_certificate(network.tls_cert, network.tls_key), network, now=datetime.now(UTC))


def judge_microphone(network: Network) -> Row:
    """What a browser that opens the page will do."""
    page = f"{network.web_scheme}://{network.address}:{network.web_port}"
    if network.web_scheme == "https":
        return MICROPHONE.ok(f"{page}: allowed once browsers trust the certificate (row certificate)")
    if network.is_loopback:
        return MICROPHONE.ok(f"{page}: allowed, since the page is on the browser's own machine")
    return MICROPHONE.failed(
        f"{page}: refused by browsers on other machines; callers can only type",
        fix=f"Set network: {{tls_cert: PATH, tls_key: PATH}} in configs/site.yaml to a certificate for {network.address}.",
    )


def read_certificate(certificate: Path, key: Path) -> CertificateFacts:
    """Read both files as the web server will. Raises ConfigError naming the file."""
    try:
        chain = x509.load_pem_x509_certificates(_content(certificate))
    except ValueError:
        raise ConfigError(f"{certificate} is not a PEM certificate. Correct {IN_SITE}.") from None
    try:
        private = load_pem_private_key(_content(key), password=None)
    except TypeError:
        unlock = f"openssl pkey -in {key} -out plain.pem"
        raise ConfigError(f"{key} is protected by a password. Remove it with `{unlock}`.") from None
    except ValueError:
        raise ConfigError(f"{key} is not a PEM private key. Correct {IN_SITE}.") from None
    leaf = chain[0]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    matches = leaf.public_key().public_bytes(*form) == private.public_key().public_bytes(*form)
    if matches:
        _load_as_server(certificate, key)
    names, addresses = _subject_names(leaf)
    return CertificateFacts(
        path=str(certificate),
        names=names,
        addresses=addresses,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        self_signed=leaf.issuer == leaf.subject,
        chain_in_order=all(_is_signed_by(lower, upper) for lower, upper in pairwise(chain)),
        key_matches=matches,
        key_path=str(key),
        key_mode=key.stat().st_mode & 0o777,
    )


def judge_certificate(facts: CertificateFacts, network: Network, *, now: datetime) -> Row:
    """What a browser that opens the announced address will think of it."""
    fix = f"Get a certificate for {network.address} and set {IN_SITE} to it."
    if not facts.key_matches:
        return CERTIFICATE.failed(f"{facts.key_path} is not the key of {facts.path}", fix=f"Correct {IN_SITE}.")
    if facts.not_after <= now:
        return CERTIFICATE.failed(f"{facts.path} expired on {facts.not_after:%Y-%m-%d}", fix=fix)
    if facts.not_before > now:
        return CERTIFICATE.failed(
            f"{facts.path} is not valid before {facts.not_before:%Y-%m-%d}, and this machine's clock says {now:%Y-%m-%d}",
            fix="Set the clock (row clock), or wait until then.",
        )
    if not (facts.names or facts.addresses):
        return CERTIFICATE.failed(f"{facts.path} names no host (no subjectAltName), so browsers refuse it", fix=fix)
    if network.address not in facts.addresses and not facts.names:
        found = f"{_describe(facts, now)}: not for {network.address}, so browsers refuse it"
        return CERTIFICATE.failed(found, fix=fix)
    return _judge_usable(facts, network, now)


def _judge_usable(facts: CertificateFacts, network: Network, now: datetime) -> Row:
    """A certificate that browsers may accept."""
    found = _describe(facts, now)
    if facts.key_mode & 0o077:
        return CERTIFICATE.warning(
            f"{found}; other users may read {facts.key_path} (mode {facts.key_mode:04o})",
            fix=f"`chmod 600 {facts.key_path}`",
        )
    if facts.not_after - now < timedelta(days=RENEW_DAYS):
        return CERTIFICATE.warning(found, fix=f"Renew it before {facts.not_after:%Y-%m-%d}, then restart Callbox.")
    if not facts.chain_in_order:
        return CERTIFICATE.warning(
            f"{found}; its chain is out of order",
            fix=f"Put the server's certificate first in {facts.path}, then each issuer.",
        )
    if network.address not in facts.addresses and not (network.is_loopback and "localhost" in facts.names):
        page = f"https://{facts.names[0]}:{network.web_port}"
        return CERTIFICATE.warning(
            f"{found}; not for {network.address}",
            fix=f"Have callers open {page} (their DNS must know the name), not the address that `make run` prints.",
        )
    return CERTIFICATE.ok(found)


def _describe(facts: CertificateFacts, now: datetime) -> str:
    signed = "; self-signed: browsers warn until it is installed on the callers' machines" if facts.self_signed else ""
    return f"for {', '.join((*facts.names, *facts.addresses))}, {(facts.not_after - now).days} days left{signed}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}). Correct {IN_SITE}, or its permissions.") from None


def _load_as_server(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise ConfigError(f"OpenSSL rejects {certificate} ({error.reason}). Get another one.") from None


def _subject_names(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """DNS names and IP addresses."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return tuple(names.get_values_for_type(x509.DNSName)), tuple(map(str, addresses))


def _is_signed_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
