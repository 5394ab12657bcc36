"""Creates the LiveKit key and secret that Callbox's processes share, and keeps them in .env (mode 0600)."""

import os
import secrets
from pathlib import Path

from dotenv import dotenv_values

from agent.errors import ConfigError

KEY_BYTES = 6
SECRET_BYTES = 32
"""43 characters in base64; livekit-server warns below 32."""


def ensure_keys(env_file: Path, *, livekit_url: str) -> bool:
    """Add the keys that neither the environment nor `env_file` has; returns whether any was added.

    What the file already holds is kept. Its mode becomes 0600, even if it was readable by others before.
    Raises ConfigError if the file cannot be written.
    """
    fresh = {
        "LIVEKIT_URL": livekit_url,
        "LIVEKIT_API_KEY": f"callbox-{secrets.token_hex(KEY_BYTES)}",
        "LIVEKIT_API_SECRET": secrets.token_urlsafe(SECRET_BYTES),
    }
    known = {name for name, value in {**dotenv_values(env_file), **os.environ}.items() if value}
    missing = {name: value for name, value in fresh.items() if name not in known}
    try:
        if missing:
            _append(env_file, "".join(f"{name}={value}\n" for name, value in missing.items()))
        if env_file.exists():
            env_file.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            f"{env_file} cannot be written ({error.strerror}). Give this user permission to write it."
        ) from error
    return bool(missing)


def _append(env_file: Path, lines: str) -> None:
    """Replace the file atomically, so that it is never half written or readable by others."""
    before = env_file.read_text(encoding="utf-8") if env_file.exists() else "# Secrets of this installation.\n"
    if not before.endswith("\n"):
        before += "\n"
    partial = env_file.with_name(f"{env_file.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(before + lines)
    partial.replace(env_file)
