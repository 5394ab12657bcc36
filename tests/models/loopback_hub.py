"""A model hub on loopback: answers what huggingface_hub asks of the real one, and simulates failures.

Answers as the hub does: LFS files are redirected to storage, their SHA-256 is in the listing and in X-Linked-Etag; small
ones are known by git's blob id; a gated repository lists its files to anybody and hands none out.
"""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "hf_accepted"
STRANGER = "hf_not_accepted"


def commit_of(label: str) -> str:
    """A commit's name."""
    return hashlib.sha1(label.encode()).hexdigest()


def blob_id(content: bytes) -> str:
    """What git calls the content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Stored:
    """A repository: its commits, newest last."""

    commits: dict[str, dict[str, bytes]]
    gated: bool = False
    lfs_from: int = 1000
    """Files from this size on are kept in LFS."""
    sizes: dict[str, int] = field(default_factory=dict)
    """File sizes that the listing gives instead of the true ones."""
    listed: bool = True
    """Whether the listing has sizes and hashes; a simple mirror's does not."""

    @property
    def newest(self) -> str:
        """The commit that the branch points to."""
        return list(self.commits)[-1]


@dataclass
class Fault:
    """What happens to one download of a file."""

    after: int = 0
    """Bytes that are sent before it happens."""
    kind: str = "drop"
    """drop: the connection ends. reset: it is reset. stall: nothing more comes. status: `after` is the answer's status."""


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    range: str | None
    token: str | None


class LoopbackHub:
    """Serves `repositories`; `faults`, by file name, happen once each, in order."""

    def __init__(self) -> None:
        self.repositories: dict[str, Stored] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.served: dict[str, bytes] = {}
        """Content that is sent for a file instead of its own."""
        self.page: str | None = None
        """The answer to every request, instead of a hub's."""
        self.requests: list[Seen] = []
        self.url = ""
        self.storage_url = ""
        """Where large files are: another host, as with the real hub."""

    def add(self, repository: str, files: dict[str, bytes], label: str = "first", **options: Any) -> str:
        """Add a repository, or a commit to it; the commit."""
        commit = commit_of(repository + label)
        stored = self.repositories.setdefault(repository, Stored({}, **options))
        stored.commits[commit] = dict(files)
        return commit

    def got(self, name: str) -> list[Seen]:
        """The downloads of a file, one for each connection."""
        return [seen for seen in self.requests if seen.method == "GET" and seen.path.endswith(f"/{name}")]

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(middlewares=[self._note])
        application.router.add_get("/api/models/{owner}/{name}", self._info)
        application.router.add_get("/api/models/{owner}/{name}/revision/{revision}", self._info)
        application.router.add_get("/{owner}/{name}/resolve/{revision}/{path:.+}", self._resolve)
        application.router.add_get("/storage/{owner}/{name}/{revision}/{path:.+}", self._send)
        return application

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or None
        self.requests.append(Seen(request.method, request.path, request.headers.get("Range"), token))
        if self.page is not None:
            return web.Response(text=self.page)
        response: web.StreamResponse = await handler(request)
        return response

    def _find(self, request: web.Request) -> tuple[Stored, str]:
        stored = self.repositories.get(f"{request.match_info['owner']}/{request.match_info['name']}")
        if stored is None:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RepoNotFound"})
        revision = request.match_info.get("revision", "main")
        revision = stored.newest if revision == "main" else revision
        if revision not in stored.commits:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RevisionNotFound"})
        return stored, revision

    async def _info(self, request: web.Request) -> web.Response:
        stored, revision = self._find(request)
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        siblings = [self._sibling(stored, path, content) for path, content in stored.commits[revision].items()]
        return web.json_response({"id": name, "modelId": name, "sha": revision, "siblings": siblings})

    def _sibling(self, stored: Stored, path: str, content: bytes) -> dict[str, Any]:
        if not stored.listed:
            return {"rfilename": path}
        size = stored.sizes.get(path, len(content))
        entry: dict[str, Any] = {"rfilename": path, "size": size, "blobId": blob_id(content)}
        if len(content) >= stored.lfs_from:
            entry["blobId"] = blob_id(b"a pointer")
            entry["lfs"] = {"size": size, "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 130}
        return entry

    def _check_gate(self, stored: Stored, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not stored.gated or token == TOKEN:
            return
        if not token:
            raise web.HTTPUnauthorized(headers={"X-Error-Code": "GatedRepo"})
        if token == STRANGER:
            raise web.HTTPForbidden(headers={"X-Error-Code": "GatedRepo"})
        raise web.HTTPUnauthorized(headers={"X-Error-Message": "Invalid credentials in Authorization header"})

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        stored, revision = self._find(request)
        self._check_gate(stored, request)
        path = request.match_info["path"]
        content = stored.commits[revision].get(path)
        if content is None:
            raise web.HTTPNotFound(headers={"X-Error-Code": "EntryNotFound"})
        if len(content) < stored.lfs_from:
            return await self._send(request)
        owner, name = request.match_info["owner"], request.match_info["name"]
        headers = {
            "Location": f"{self.storage_url}/storage/{owner}/{name}/{revision}/{path}",
            "X-Repo-Commit": revision,
            "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Linked-Size": str(len(content)),
            "ETag": f'"{blob_id(b"a pointer")}"',
        }
        return web.Response(status=302, headers=headers)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        stored, revision = self._find(request)
        path = request.match_info["path"]
        content = stored.commits[revision][path]
        name = path.rsplit("/", 1)[-1]
        body = self.served.get(name, content)
        headers = {"ETag": f'"{blob_id(content)}"', "X-Repo-Commit": revision, "Accept-Ranges": "bytes"}
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(body))})
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        if start and start >= len(body):
            raise web.HTTPRequestRangeNotSatisfiable
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        faults = self.faults.get(name, [])
        fault = faults.pop(0) if faults else None
        if fault and fault.kind == "status":
            return web.Response(status=fault.after)
        return await self._stream(request, body[start:], 206 if start else 200, headers, fault)

    async def _stream(
        self, request: web.Request, body: bytes, status: int, headers: dict[str, str], fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: fault.after] if fault else body)
        if fault is None:
            return response
        transport = request.transport
        assert transport is not None
        if fault.kind == "stall":
            await asyncio.sleep(3600)
        await asyncio.sleep(0.05)  # what was written reaches the other side before the end does
        if fault.kind == "reset":
            transport.abort()
        else:
            transport.close()
        return response


@contextmanager
def running(hub: LoopbackHub) -> Iterator[LoopbackHub]:
    """Run the hub on a free loopback port, with its own thread and event loop, because its clients block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = web.AppRunner(hub.application(), shutdown_timeout=0.05)  # what stalls would be waited for

    async def start() -> None:
        await runner.setup()
        for host in ("127.0.0.1", "127.0.0.2"):
            await web.TCPSite(runner, host, 0).start()
        hub.url, hub.storage_url = (f"http://{host}:{port}" for host, port in runner.addresses)

    async def stop() -> None:
        await runner.cleanup()
        stalled = asyncio.all_tasks() - {asyncio.current_task()}
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
