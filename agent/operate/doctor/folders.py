"""Whether this user may write to the folders that still have to be filled."""

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
    """What still has to be written there; empty if nothing, and then it may be read-only."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_folders(installation))


def find_folders(installation: Installation) -> tuple[FolderState, ...]:
    """The checkout, the cache, the model store, and vLLM's caches if the profile uses a GPU."""
    wanted: tuple[tuple[Path, str], ...] = (
        (installation.root, "" if _has_keys(installation) else ".env"),
        (installation.cache, "" if _has_server() else "livekit-server"),
    )
    if installation.known_store is not None:
        wanted += ((installation.known_store.root / "store", "models" if find_missing(installation) else ""),)
    if installation.needs_gpu:
        wanted += tuple((path, "vLLM's compiled kernels") for path in compile_caches(os.environ))
    return tuple(
        FolderState(path=str(path), writable=os.access(nearest(path), os.W_OK | os.X_OK), needed_for=needed_for)
        for path, needed_for in wanted
    )


def compile_caches(environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Where vLLM and its Triton keep the kernels that they compile at start."""
    home = environment.get("HOME", "~")
    caches = environment.get("XDG_CACHE_HOME") or f"{home}/.cache"
    vllm = environment.get("VLLM_CACHE_ROOT") or f"{caches}/vllm"
    triton = environment.get("TRITON_CACHE_DIR") or f"{environment.get('TRITON_HOME') or home}/.triton"
    return Path(vllm).expanduser(), Path(triton).expanduser()


def judge(folders: tuple[FolderState, ...]) -> Row:
    """A complete installation may be read-only."""
    blocked = [folder for folder in folders if folder.needed_for and not folder.writable]
    if blocked:
        listed = "; ".join(f"{folder.path} (for {folder.needed_for})" for folder in blocked)
        paths = " ".join(folder.path for folder in blocked)
        return FOLDERS.failed(f"this user may not write to: {listed}", fix=f'`sudo chown -R "$USER" {paths}`')
    read_only = [folder.path for folder in folders if not folder.writable]
    if read_only:
        return FOLDERS.ok(f"read-only, which is fine, as nothing needs to be written there: {', '.join(read_only)}")
    return FOLDERS.ok(f"all {len(folders)}")


def _has_keys(installation: Installation) -> bool:
    try:
        load_keys(installation.root / ".env")
    except ConfigError:
        return False
    except OSError:  # it exists, but this user may not read it: row secrets
        return True
    return True


def _has_server() -> bool:
    try:
        server_program()
    except ConfigError:
        return False
    return True
