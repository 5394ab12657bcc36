"""Our errors as LiveKit's. None is retried: a failed local engine is reloaded by its host, and asking again does not help."""

from livekit.agents import APIConnectOptions, APIError

from models.errors import CallboxError

NO_RETRIES = APIConnectOptions(max_retry=0, timeout=10.0)


def api_error(error: CallboxError) -> APIError:
    """LiveKit's form of an engine's error. Its text contains nothing that anybody said."""
    return APIError(f"{type(error).__name__}: {error}", retryable=False)
