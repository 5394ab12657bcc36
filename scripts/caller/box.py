"""A box to call: the one that is running, or one started for the purpose."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from scripts.caller.errors import CallerError
from scripts.paths import OUT, ROOT

START_S = 300.0
"""Longer than loading and warming up every engine takes on a busy machine."""
STOP_S = 30.0


@contextlib.contextmanager
def running_box(web: str, *options: str, start_s: float = START_S, module: str = "agent") -> Iterator[None]:
    """The box at `web` takes calls within this context. If none is running, one is started with these options of `python -m agent
    run` (or of another module's run), and stopped afterwards. Raises CallerError."""
    if is_answering(web):
        yield
        return
    log = OUT / "box.log"
    log.parent.mkdir(exist_ok=True)
    print(f"no box is running at {web}: starting one (log: {log.relative_to(ROOT)})", flush=True)
    with log.open("wb") as output:
        box = subprocess.Popen([sys.executable, "-m", module, "run", *options], cwd=ROOT, stdout=output, stderr=output)
    try:
        _wait_until_ready(box, web, log, start_s)
        yield
    finally:
        box.send_signal(signal.SIGINT)
        try:
            box.wait(STOP_S)
        except subprocess.TimeoutExpired:
            box.kill()


def _wait_until_ready(box: "subprocess.Popen[bytes]", web: str, log: Path, start_s: float) -> None:
    deadline = time.monotonic() + start_s
    while not is_answering(web):
        if box.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise CallerError(f"the box did not start: {' '.join(last) or 'no output'} (see {log})")
        if time.monotonic() > deadline:
            raise CallerError(f"the box at {web} was not ready after {start_s:.0f} s: see {log}")
        time.sleep(0.5)


def is_answering(web: str) -> bool:
    """Whether the box takes calls now."""
    try:
        with urllib.request.urlopen(f"{web}/api/status", timeout=3) as answer:
            return bool(json.load(answer).get("ready"))
    except (urllib.error.URLError, TimeoutError, ConnectionError, json.JSONDecodeError):
        return False
