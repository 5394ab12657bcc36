"""Whether browsers will give the page a microphone: only over HTTPS, or on this machine itself."""

from collections.abc import Iterator

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.settings import Network

MICROPHONE = Subject("microphone", "microphone in browsers")


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(installation.network)


def judge(network: Network) -> Row:
    """What a browser that opens the announced address will do."""
    page = f"{network.web_scheme}://{network.address}:{network.web_port}"
    if network.web_scheme == "https":
        return MICROPHONE.ok(f"{page}: allowed once the certificate is trusted (row certificate)")
    if network.is_loopback:
        return MICROPHONE.ok(f"{page}: browsers allow it to pages of their own machine")
    return MICROPHONE.failed(
        f"{page}: refused by browsers on other machines, which can only type",
        fix=f"Set network: {{tls_cert: PATH, tls_key: PATH}} in configs/site.yaml to a certificate for {network.address}.",
    )
