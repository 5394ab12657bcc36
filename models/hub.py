"""The model hub, or a mirror of it: what a repository holds, and its files' bytes. The only file that knows huggingface_hub.

Plain HTTP with Range requests, so that any mirror serves and an interrupted download continues in a later process, which
hf_hub_download does not do. The token is sent for gated repositories only.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dotenv import dotenv_values
from pydantic import TypeAdapter, ValidationError

from models.errors import ChecksumMismatch, DownloadFailed
from models.hub_errors import told
from models.manifest import RelativePath

OFFICIAL = "https://huggingface.co"
CHUNK_BYTES = 1 << 20
"""What an interruption loses at most, and the step in which progress is shown."""

OnPosition = Callable[[int], None]
"""Told how many bytes of the file are here."""

_PATH: TypeAdapter[str] = TypeAdapter(RelativePath)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository, and what its bytes are known by."""

    path: str
    """Relative to the repository's root."""
    size: int
    """Bytes; 0 if the hub does not tell."""
    sha256: str | None = None
    blob_id: str | None = None
    """Git's SHA-1 of the file as a blob, for small files, whose SHA-256 the hub does not tell."""

    @property
    def known_by(self) -> str:
        """Its hash, of either kind; empty if the hub tells none."""
        return self.sha256 or self.blob_id or ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository at one commit."""

    revision: str
    files: tuple[HubFile, ...]


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub at an address, seen by an account or by nobody."""

    endpoint: str = OFFICIAL
    """Without a slash at its end."""
    token: str | None = None

    def listing(self, repository: str, revision: str | None, *, gated: bool) -> Listing:
        """The repository's files at a commit; None: at its newest. Raises DownloadFailed or AccessRefused."""
        library = _library()
        with self._told(repository, "the list of files", gated):
            api = library.HfApi(endpoint=self.endpoint, token=self._token(gated))
            info = api.model_info(
                repository, revision=revision, files_metadata=True, timeout=library.constants.HF_HUB_ETAG_TIMEOUT
            )
        if not info.sha or not info.siblings:
            raise DownloadFailed(f"{self.endpoint} names no commit or no files of {repository}. Name another mirror.")
        return Listing(info.sha, tuple(self._file(repository, found) for found in info.siblings))

    def head(self, repository: str, revision: str, path: str, *, gated: bool) -> HubFile:
        """What the hub says of one file. Raises DownloadFailed or AccessRefused."""
        library = _library()
        url = library.hf_hub_url(repository, path, revision=revision, endpoint=self.endpoint)
        with self._told(repository, path, gated):
            head = library.get_hf_file_metadata(url, token=self._token(gated), endpoint=self.endpoint)
        etag = head.etag or ""
        return HubFile(path, head.size or 0, etag if len(etag) == 64 else None, etag if len(etag) == 40 else None)

    def fetch(
        self, repository: str, revision: str, file: HubFile, partial: Path, on_position: OnPosition, *, gated: bool
    ) -> None:
        """Bring `partial` to the file's full size, going on from what is there. Its hash is not checked.

        Raises DownloadFailed, AccessRefused or DiskTooSmall, and what has arrived stays in `partial`; or ChecksumMismatch
        if the hub has it in another length.
        """
        library = _library()
        url = library.hf_hub_url(repository, file.path, revision=revision, endpoint=self.endpoint)
        headers = library.utils.build_hf_headers(token=self._token(gated), library_name="callbox")
        headers["Accept-Encoding"] = "identity"  # a compressed answer has neither a known size nor ranges
        with self._told(repository, file.path, gated):
            if partial.exists() and partial.stat().st_size > file.size:
                partial.unlink()
            _get(url, headers, file, partial, on_position)

    def _file(self, repository: str, found: Any) -> HubFile:
        try:
            path = _PATH.validate_python(found.rfilename)
        except ValidationError:
            raise DownloadFailed(
                f"{self.endpoint} lists a file '{found.rfilename}' in {repository}, outside of it. Name another mirror."
            ) from None
        if found.lfs:
            return HubFile(path, found.lfs.size, found.lfs.sha256)
        return HubFile(path, found.size or 0, None, found.blob_id)

    def _told(self, repository: str, what: str, gated: bool) -> AbstractContextManager[None]:
        return told(self.endpoint, repository, what, has_token=bool(self.token), gated=gated)

    def _token(self, gated: bool) -> str | bool:
        """What huggingface_hub is told: False keeps a login that lies on this machine out of it."""
        return (self.token or False) if gated else False


def hub_from(env_file: Path, mirror: str | None = None, environment: Mapping[str, str] = os.environ) -> Hub:
    """The hub at `mirror`, else at HF_ENDPOINT, for the account of HF_TOKEN: from the environment, else from .env.

    Raises DownloadFailed if the address is none.
    """
    found = {**dotenv_values(env_file), **environment}
    endpoint = (mirror or found.get("HF_ENDPOINT") or OFFICIAL).strip().rstrip("/")
    if not endpoint.startswith(("https://", "http://")):
        raise DownloadFailed(f"'{endpoint}' is not a hub's address. Give one that begins with https:// or http://.")
    return Hub(endpoint, (found.get("HF_TOKEN") or "").strip() or None)


def _library() -> Any:
    """huggingface_hub, quiet. Imported when it is needed: it takes half a second, and reads the environment."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub

    library: Any = huggingface_hub
    library.logging.set_verbosity_error()
    library.constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    return library


def _get(url: str, headers: dict[str, str], file: HubFile, partial: Path, on_position: OnPosition) -> None:
    """Download the rest of the file, again and again while each attempt brings something."""
    import httpx2
    from huggingface_hub.file_download import http_get

    while True:
        with partial.open("ab") as stream:
            start = stream.tell()
            try:
                http_get(
                    url,
                    stream,
                    resume_size=start,
                    headers=headers,
                    expected_size=file.size,
                    tqdm_class=cast(Any, _counter(file, on_position)),
                )
                return
            except httpx2.ReadError:  # http_get itself goes on after other interruptions, not after this one
                if stream.tell() <= start:
                    raise


def _counter(file: HubFile, on_position: OnPosition) -> type:
    """What http_get takes for a progress bar."""

    class Counter:
        def __init__(self, *, initial: int = 0, **_: Any) -> None:
            self._position = initial
            on_position(initial)

        def __enter__(self) -> "Counter":
            return self

        def __exit__(self, *_: object) -> None: ...

        def update(self, count: int) -> None:
            self._position += count
            if self._position > file.size:
                raise ChecksumMismatch(
                    f"{file.path} is sent with more than the {file.size} bytes it has; it is not kept."
                )
            on_position(self._position)

    return Counter
