"""Our errors as LiveKit's. None is retried: a local engine that failed is mended by the host, not by asking again."""

from livekit.agents import APIConnectOptions, APIError

from models.errors import CallboxError

NO_RETRIES = APIConnectOptions(max_retry=0, timeout=10.0)


def api_error(error: CallboxError) -> APIError:
    """LiveKit's form of an engine's error; its text holds no words of a person."""
    return APIError(f"{type(error).__name__}: {error}", retryable=False)
