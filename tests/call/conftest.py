"""A whole box for call tests: a real livekit-server and a real worker on the demo models, as processes."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.caller.conversation import CallRecord, Conversation
from scripts.caller.dialogue import Dialogue
from scripts.caller.room import CallerRoom, mint_ticket
from scripts.caller.voice import load_voice
from tests.livekit_server import LiveKitServer, free_port, livekit_server

__all__ = ["box", "livekit_server"]

WORKER_READY_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBox:
    """A worker that takes calls, and the media server it takes them from."""

    server: LiveKitServer
    agent_name: str
    """Unique to this box: several boxes may share one media server."""
    ops_url: str
    log: Path
    history_file: Path
    worker: "subprocess.Popen[bytes]" = field(repr=False)

    def get(self, path: str) -> Any:
        """GET from the worker's ops port."""
        with urllib.request.urlopen(self.ops_url + path, timeout=5) as answer:
            body = answer.read().decode()
        return body if path == "/metrics" else json.loads(body)

    def history(self, room: str) -> list[dict[str, Any]]:
        """The agent's history of a call: role, text, interrupted."""
        lines = self.history_file.read_text().splitlines() if self.history_file.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["room"] == room]

    def call(self, room: str, *, is_telephone: bool = False) -> CallerRoom:
        """A caller about to join a fresh room."""
        ticket = mint_ticket(
            self.server.url,
            self.server.key,
            self.server.secret,
            room=room,
            identity="caller",
            agent=self.agent_name,
            is_telephone=is_telephone,
        )
        return CallerRoom(ticket)

    async def hold(self, dialogue: Mapping[str, Any], *, voice: str = "rms", room: str) -> CallRecord:
        """Hold a whole call that follows a dialogue."""
        async with self.call(room) as call:
            return await Conversation(call, load_voice(voice), Dialogue.model_validate(dialogue)).hold(room)


@contextmanager
def run_box(
    server: LiveKitServer, folder: Path, *engine_modules: str, ready_s: float = WORKER_READY_S, **site: Any
) -> Iterator[RunningBox]:
    """Start a worker with these settings, wait until it is ready, and stop it afterwards."""
    port = free_port()
    name = f"callbox-{port}"
    site_file = folder / "site.yaml"
    site_file.write_text(yaml.safe_dump({"network": {"ops_port": port}, "agent_name": name, **site}))
    environment = {
        **os.environ,
        "CALLBOX_SITE": str(site_file),
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.key,
        "LIVEKIT_API_SECRET": server.secret,
    }
    log, history = folder / "worker.log", folder / "history.jsonl"
    program = [sys.executable, "-m", "tests.call.worker", str(history), *engine_modules]
    with (
        log.open("wb") as output,
        subprocess.Popen(program, env=environment, stdout=output, stderr=output) as worker,
    ):
        box = RunningBox(
            server=server,
            agent_name=name,
            ops_url=f"http://127.0.0.1:{port}",
            log=log,
            history_file=history,
            worker=worker,
        )
        try:
            _wait_until_registered(box, ready_s)
            yield box
        finally:
            worker.terminate()
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()


@pytest.fixture(scope="session")
def box(livekit_server: LiveKitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    """One box for all call tests that do not break it."""
    with run_box(livekit_server, tmp_path_factory.mktemp("box")) as running:
        yield running


def _wait_until_registered(box: RunningBox, ready_s: float) -> None:
    deadline = time.monotonic() + ready_s
    while time.monotonic() < deadline:
        if box.worker.poll() is not None:
            pytest.fail(f"the worker ended at once:\n{box.log.read_text()[-2000:]}")
        if "registered worker" in box.log.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"the worker was not ready within {ready_s:.0f} s:\n{box.log.read_text()[-2000:]}")
