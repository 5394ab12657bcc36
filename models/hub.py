"""The model hub or a mirror of it: lists a repository's files and downloads them. The only file that uses huggingface_hub.

Uses plain HTTP with Range requests, so that any mirror will do and a later process can continue an interrupted download,
which hf_hub_download cannot. The token is sent for gated repositories only.
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
from models.hub_errors import translate_errors
from models.manifest import RelativePath

OFFICIAL = "https://huggingface.co"
CHUNK_BYTES = 1 << 20
"""The most that an interruption loses, and the step in which progress is shown."""

OnPosition = Callable[[int], None]
"""Called with how many bytes of the file have arrived."""

_PATH: TypeAdapter[str] = TypeAdapter(RelativePath)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository, with its size and hash."""

    path: str
    """Relative to the repository's root."""
    size: int
    """Bytes; 0 if the hub does not say."""
    sha256: str | None = None
    blob_id: str | None = None
    """Git's SHA-1 of the file as a blob; for small files, for which the hub gives no SHA-256."""

    @property
    def known_by(self) -> str:
        """Its hash, of either kind; empty if the hub gives none."""
        return self.sha256 or self.blob_id or ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository at one commit."""

    revision: str
    files: tuple[HubFile, ...]


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub, used with an account or anonymously."""

    endpoint: str = OFFICIAL
    """Without a slash at its end."""
    token: str | None = None

    def listing(self, repository: str, revision: str | None, *, gated: bool) -> Listing:
        """The repository's files at a commit; None: the newest. Raises DownloadFailed or AccessRefused."""
        library = _library()
        with self._translating_errors(repository, "the list of files", gated):
            api = library.HfApi(endpoint=self.endpoint, token=self._token(gated))
            info = api.model_info(
                repository, revision=revision, files_metadata=True, timeout=library.constants.HF_HUB_ETAG_TIMEOUT
            )
        if not info.sha or not info.siblings:
            raise DownloadFailed(f"{self.endpoint} lists no commit or no files of {repository}. Use another mirror.")
        return Listing(info.sha, tuple(self._file(repository, found) for found in info.siblings))

    def head(self, repository: str, revision: str, path: str, *, gated: bool) -> HubFile:
        """What the hub says about one file. Raises DownloadFailed or AccessRefused."""
        library = _library()
        url = library.hf_hub_url(repository, path, revision=revision, endpoint=self.endpoint)
        with self._translating_errors(repository, path, gated):
            head = library.get_hf_file_metadata(url, token=self._token(gated), endpoint=self.endpoint)
        etag = head.etag or ""
        return HubFile(path, head.size or 0, etag if len(etag) == 64 else None, etag if len(etag) == 40 else None)

    def fetch(
        self, repository: str, revision: str, file: HubFile, partial: Path, on_position: OnPosition, *, gated: bool
    ) -> None:
        """Continue the download into `partial` to the file's full size. Does not check the hash.

        Raises DownloadFailed, AccessRefused or DiskTooSmall, keeping what has arrived in `partial`; or ChecksumMismatch if
        the hub's file has another length.
        """
        library = _library()
        url = library.hf_hub_url(repository, file.path, revision=revision, endpoint=self.endpoint)
        headers = library.utils.build_hf_headers(token=self._token(gated), library_name="callbox")
        headers["Accept-Encoding"] = "identity"  # a compressed response has neither a known size nor ranges
        with self._translating_errors(repository, file.path, gated):
            if partial.exists() and partial.stat().st_size > file.size:
                partial.unlink()
            _get(url, headers, file, partial, on_position)

    def _file(self, repository: str, found: Any) -> HubFile:
        try:
            path = _PATH.validate_python(found.rfilename)
        except ValidationError:
            raise DownloadFailed(
                f"{self.endpoint} lists a file '{found.rfilename}' outside {repository}. Use another mirror."
            ) from None
        if found.lfs:
            return HubFile(path, found.lfs.size, found.lfs.sha256)
        return HubFile(path, found.size or 0, None, found.blob_id)

    def _translating_errors(self, repository: str, what: str, gated: bool) -> AbstractContextManager[None]:
        return translate_errors(self.endpoint, repository, what, has_token=bool(self.token), gated=gated)

    def _token(self, gated: bool) -> str | bool:
        """The token for huggingface_hub; False keeps it from using a login stored on this machine."""
        return (self.token or False) if gated else False


def hub_from(env_file: Path, mirror: str | None = None, environment: Mapping[str, str] = os.environ) -> Hub:
    """The hub at `mirror`, else at HF_ENDPOINT, for the account of HF_TOKEN: from the environment, else from .env.

    Raises DownloadFailed if it is not an HTTP address.
    """
    found = {**dotenv_values(env_file), **environment}
    endpoint = (mirror or found.get("HF_ENDPOINT") or OFFICIAL).strip().rstrip("/")
    if not endpoint.startswith(("https://", "http://")):
        raise DownloadFailed(f"'{endpoint}' is not a hub's address. Use one that begins with https:// or http://.")
    return Hub(endpoint, (found.get("HF_TOKEN") or "").strip() or None)


def _library() -> Any:
    """huggingface_hub, silenced. Imported on demand: it takes half a second and reads the environment."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub

    library: Any = huggingface_hub
    library.logging.set_verbosity_error()
    library.constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    return library


def _get(url: str, headers: dict[str, str], file: HubFile, partial: Path, on_position: OnPosition) -> None:
    """Download the rest of the file, retrying as long as each attempt brings more bytes."""
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
            except httpx2.ReadError:  # http_get recovers from other interruptions itself, but not from this one
                if stream.tell() <= start:
                    raise


def _counter(file: HubFile, on_position: OnPosition) -> type:
    """Stands in for the progress bar that http_get expects."""

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
                raise ChecksumMismatch(f"{file.path} arrived with more than its {file.size} bytes and was not kept.")
            on_position(self._position)

    return Counter
