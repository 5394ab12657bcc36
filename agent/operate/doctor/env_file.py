"""Whether the secrets in .env are kept from other users. None is ever shown."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject

SECRETS = Subject("secrets", "secrets")
SECRET = "LIVEKIT_API_SECRET"
MIN_CHARACTERS = 32
"""livekit-server warns about shorter secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFacts:
    """About .env, without its contents."""

    exists: bool
    mode: int = 0o600
    readable: bool = True
    own: bool = True
    """Whether it belongs to this user."""
    secret_characters: int | None = None
    """Length of LIVEKIT_API_SECRET; None if the file does not have it."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_secrets(installation.root / ".env"))


def find_secrets(env_file: Path) -> SecretFacts:
    """Its mode, its owner, and the length of the secret."""
    if not env_file.exists():
        return SecretFacts(exists=False)
    status = env_file.stat()
    readable = os.access(env_file, os.R_OK)
    secret = dotenv_values(env_file).get(SECRET) if readable else None
    return SecretFacts(
        exists=True,
        mode=status.st_mode & 0o777,
        readable=readable,
        own=status.st_uid == os.geteuid(),
        secret_characters=len(secret) if secret else None,
    )


def judge(facts: SecretFacts) -> Row:
    """Anyone who can read the secret can join every call."""
    if not facts.exists:
        return SECRETS.ok("no .env yet: the first `make run` creates it (mode 0600)")
    mode = f"mode {facts.mode:04o}"
    if not facts.readable:
        return SECRETS.failed(f"this user cannot read .env ({mode})", fix='`sudo chown "$USER" .env`')
    if facts.mode & 0o077:
        return SECRETS.failed(f".env has {mode}: other users can read this box's secrets", fix="`chmod 600 .env`")
    if facts.secret_characters is not None and facts.secret_characters < MIN_CHARACTERS:
        return SECRETS.warning(
            f".env, {mode}: {SECRET} has {facts.secret_characters} characters; it needs {MIN_CHARACTERS}",
            fix="Delete its line from .env; `make run` creates a new one.",
        )
    owner = "" if facts.own else ", owned by another user"
    return SECRETS.ok(f".env, {mode}{owner}")
