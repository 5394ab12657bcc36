"""Keeps everything on the box: turns off whatever in the libraries would contact the outside."""

from collections.abc import MutableMapping

NOWHERE = "http://127.0.0.1:9/v1"
"""This machine's discard port: anything that still calls LiveKit's gateway is refused at once."""

INFERENCE_URL = "LIVEKIT_INFERENCE_URL"
"""Where LiveKit expects its gateway. With engines.interruption, the worker points it at our own server."""

_UNSET = (
    "LIVEKIT_DEV_MODE",  # would choose the cloud's turn detector and interruption model
    "LIVEKIT_REMOTE_EOT_URL",
    "LIVEKIT_OBSERVABILITY_URL",
    "LIVEKIT_WORKER_TOKEN",
    "HTTP_PROXY",  # would carry the worker's connection to livekit-server
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)
_SET = {
    INFERENCE_URL: NOWHERE,
    "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


def force_offline(environment: MutableMapping[str, str]) -> None:
    """Change the environment so that libraries stay on this machine. Call it before importing them, which is when they read it."""
    for name in _UNSET:
        environment.pop(name, None)
    environment.update(_SET)
