"""Whether this user may write where something still has to be written."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigError
from agent.operate.doctor.disk import find_missing, nearest
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.operate.supervisor.livekit_server import server_program
from agent.settings import load_keys

FOLDERS = Subject("folders", "writable folders")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """One folder."""

    path: str
    writable: bool
    needed_for: str = ""
    """What has still to be written there; empty if nothing, and then it may be read-only."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_folders(installation))


def find_folders(installation: Installation) -> tuple[FolderState, ...]:
    """The checkout, the cache and the store."""
    wanted: tuple[tuple[Path, str], ...] = (
        (installation.root, "" if _has_keys(installation) else ".env"),
        (installation.cache, "" if _has_server() else "livekit-server"),
    )
    if installation.known_store is not None:
        wanted += ((installation.known_store.root / "store", "models" if find_missing(installation) else ""),)
    if installation.needs_gpu:
        wanted += tuple((path, "what vLLM compiles") for path in compile_caches(os.environ))
    return tuple(
        FolderState(path=str(path), writable=os.access(nearest(path), os.W_OK | os.X_OK), needed_for=needed_for)
        for path, needed_for in wanted
    )


def compile_caches(environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Where vLLM and its Triton keep the kernels that they compile when they start."""
    home = environment.get("HOME", "~")
    caches = environment.get("XDG_CACHE_HOME") or f"{home}/.cache"
    vllm = environment.get("VLLM_CACHE_ROOT") or f"{caches}/vllm"
    triton = environment.get("TRITON_CACHE_DIR") or f"{environment.get('TRITON_HOME') or home}/.triton"
    return Path(vllm).expanduser(), Path(triton).expanduser()


def judge(folders: tuple[FolderState, ...]) -> Row:
    """A box that has everything may be read-only."""
    wanting = [folder for folder in folders if folder.needed_for and not folder.writable]
    if wanting:
        listed = "; ".join(f"{folder.path} (for {folder.needed_for})" for folder in wanting)
        return FOLDERS.failed(
            f"this user may not write: {listed}", fix=f'`sudo chown -R "$USER" {" ".join(f.path for f in wanting)}`'
        )
    closed = [folder.path for folder in folders if not folder.writable]
    if closed:
        return FOLDERS.ok(f"read-only, and nothing has still to be written there: {', '.join(closed)}")
    return FOLDERS.ok(f"all {len(folders)}")


def _has_keys(installation: Installation) -> bool:
    try:
        load_keys(installation.root / ".env")
    except ConfigError:
        return False
    except OSError:  # it is there, and not for this user: row secrets
        return True
    return True


def _has_server() -> bool:
    try:
        server_program()
    except ConfigError:
        return False
    return True
