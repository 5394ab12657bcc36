"""Options of the web process: where to listen, where LiveKit is, how to sign tokens."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

DEMO_EXAMPLES = (
    "I would like to book an appointment",
    "Are you open on Sunday?",
    "I need a refill",
    "Are my test results ready?",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """Options of `python -m agent web`."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    api_key: str
    """LiveKit API key of the callers' tokens."""
    api_secret: str = field(repr=False)
    """LiveKit API secret of the key."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 serves the local network."""
    port: int = 8080
    """TCP port to listen on."""
    livekit_url: str = "ws://127.0.0.1:7880"
    """Where this process reaches livekit-server."""
    livekit_public_url: str | None = None
    """Where livekit-server listens, seen from a browser; None derives it from the address the browser used."""
    agent_name: str = "callbox"
    """Name the worker registers under; calls are dispatched to it."""
    worker_url: str | None = "http://127.0.0.1:8081"
    """The worker's health endpoint, checked before a call is accepted; None accepts every call."""
    profile: str | None = None
    """Profile shown on the page; the worker's own answer takes precedence."""
    tls_cert: Path | None = None
    """PEM certificate chain; with tls_key the page is served over HTTPS, which browsers require for the microphone, except
    on localhost."""
    tls_key: Path | None = None
    """PEM private key of tls_cert."""
    examples: tuple[str, ...] = DEMO_EXAMPLES
    """Example sentences that the page offers in the demo profile."""
    calls_per_second: float = 1.0
    """Calls that one address may start per second in the long run."""
    calls_burst: int = 5
    """Calls that one address may start at once."""

    @property
    def tls(self) -> bool:
        """Whether the page is served over HTTPS."""
        return self.tls_cert is not None
