"""Checks of a built image, and the box folder that they run in."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy, copytree

import yaml

from scripts.image.engine import Engine, log, output
from scripts.paths import ROOT

PORTS = {"web_port": 18080, "ops_port": 18081, "livekit_port": 17880, "rtc_tcp_port": 17881, "rtc_udp_port": 17882}


@dataclass(slots=True)
class Exercise:
    """The checks so far and their results."""

    engine: Engine
    site: Path
    """The box's folder, with compose.yaml and configs."""
    rows: list[tuple[str, bool, str]] = field(default_factory=list)

    def check(self, what: str, look: Callable[[], str]) -> None:
        """Add a row: `look` returns what it found, or raises AssertionError or CalledProcessError."""
        log(what)
        started_s = time.monotonic()
        try:
            found, good = look(), True
        except (AssertionError, subprocess.CalledProcessError) as error:
            found, good = str(error), False
        self.rows.append((what, good, f"{found} ({time.monotonic() - started_s:.0f} s)"))

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on the files for a machine without a GPU."""
        files = ["compose.yaml", "compose.cpu.yaml", *(["unplugged.yaml"] if self.is_unplugged else [])]
        options = [word for name in files for word in ("--file", name)]
        return output([*self.engine.compose, *options, *arguments], cwd=self.site)

    @property
    def is_unplugged(self) -> bool:
        """Whether the containers have no network but loopback."""
        return (self.site / "unplugged.yaml").exists()

    def inspect(self, process: str, template: str) -> str:
        """A field of a process's container, by a template of `docker inspect`."""
        return self.engine.output("inspect", "--format", template, f"callbox-{process}-1")


def expect(condition: bool, otherwise: str) -> None:
    """Raises AssertionError with the message `otherwise` unless the condition holds."""
    if not condition:
        raise AssertionError(otherwise)


@contextmanager
def box_folder() -> Iterator[Path]:
    """A folder as on a box, with ports of its own."""
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        site.chmod(0o755)  # the containers' user reads it
        copytree(ROOT / "configs", site / "configs")
        for file in ("compose.yaml", "compose.cpu.yaml"):
            copy(ROOT / file, site / file)
        (site / "models").mkdir()
        (site / "configs" / "site.yaml").write_text(yaml.safe_dump({"network": PORTS}))
        yield site
