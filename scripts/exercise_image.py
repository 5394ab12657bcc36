"""Build the image of Dockerfile.cuda and run compose.yaml for real, without a GPU: `python -m scripts.exercise_image`.

With the packages of the cpu lock and the profile demo, so that it takes minutes. What it needs and does not find it makes:
an engine (as root, from Debian's docker.io), the compose plugin (with Go), stand-ins for images that cannot be pulled
(with debootstrap). It listens on ports of its own. Exit status 0: everything was as it should be.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy, copytree

import yaml
from rich.console import Console
from rich.table import Table

from agent.settings import ROOT
from scripts.docker_engine import Engine, EngineError, build_secrets, log, open_engine, output, require_image

IMAGE = "callbox:cpu"
UID = 10001
PORTS = {"web_port": 18080, "ops_port": 18081, "livekit_port": 17880, "rtc_tcp_port": 17881, "rtc_udp_port": 17882}
PROCESSES = ("livekit", "worker", "web")
CABLE_OUT = {"livekit": {"network_mode": "none"}, "worker": {"network_mode": "service:livekit"}}
CABLE_OUT |= {"web": CABLE_OUT["worker"]}
RESTART_TIMEOUT_S = 120.0


@dataclass(slots=True)
class Exercise:
    """What was looked at, and how it was."""

    engine: Engine
    site: Path
    """A folder with compose.yaml and configs, as on a box."""
    rows: list[tuple[str, bool, str]] = field(default_factory=list)

    def check(self, what: str, look: Callable[[], str]) -> None:
        """A row: `look` says what it found, or raises AssertionError or CalledProcessError."""
        log(what)
        started_s = time.monotonic()
        try:
            found, good = look(), True
        except (AssertionError, subprocess.CalledProcessError) as error:
            found, good = str(error), False
        self.rows.append((what, good, f"{found} ({time.monotonic() - started_s:.0f} s)"))

    def compose(self, *arguments: str) -> str:
        """`docker compose` on the files of this machine without a GPU."""
        files = ["compose.yaml", "compose.cpu.yaml", *(["cable-out.yaml"] if self.cable_is_out else [])]
        options = [word for name in files for word in ("--file", name)]
        return output([*self.engine.compose, *options, *arguments], cwd=self.site)

    @property
    def cable_is_out(self) -> bool:
        """Whether the containers have no network but loopback."""
        return (self.site / "cable-out.yaml").exists()

    def inspect(self, process: str, template: str) -> str:
        """A field of a process's container."""
        return self.engine.output("inspect", "--format", template, f"callbox-{process}-1")


def expect(condition: bool, otherwise: str) -> None:
    """Raises AssertionError saying `otherwise`."""
    if not condition:
        raise AssertionError(otherwise)


def build(exercise: Exercise) -> str:
    """The image itself, by the Dockerfile as it is."""
    engine = exercise.engine
    bases = {name: require_image(engine, name) for name in ("debian:bookworm-slim", "golang:1.26-bookworm")}
    options = ["--network=host", "--file=Dockerfile.cuda", f"--tag={IMAGE}", "--build-arg=PACKAGES=cpu"]
    goproxy = [f"--build-arg={name}={os.environ[name]}" for name in ("GOPROXY", "GOSUMDB") if name in os.environ]
    output([engine.docker, "build", *options, *goproxy, *build_secrets(engine.folder), "."], cwd=ROOT)
    size_mb = int(engine.output("image", "inspect", "--format", "{{.Size}}", IMAGE)) / 1e6
    return f"{size_mb:.0f} MB; " + "; ".join(f"{name} {how}" for name, how in bases.items())


def contents(exercise: Exercise) -> str:
    """No secret, no installer, no test; and its user can write nothing but the cache."""
    script = (
        "cd /callbox; ls -A; ls .env .git tests configs/site.yaml .venv/bin/uv .venv/bin/pip 2>/dev/null;"
        " echo --; find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' 2>/dev/null || true"
    )
    run = ["run", "--rm", "--network=none", "--entrypoint=/bin/sh", IMAGE, "-c", script]
    listing, _, writable = exercise.engine.output(*run).partition("--\n")
    surplus = {".env", ".git", "tests", "configs/site.yaml", ".venv/bin/uv", ".venv/bin/pip"} & set(listing.split())
    expect(not surplus, f"should not be in it: {', '.join(sorted(surplus))}")
    allowed = {"/tmp", "/var/tmp", "/run/lock", "/var/cache/callbox"}
    expect(set(writable.split()) <= allowed, f"can be written: {writable.split()}")
    return "no secret, installer or test; only its cache and temporary folders can be written"


def make_keys(exercise: Exercise) -> str:
    """The one command of the first run, as an ordinary user who owns the folder."""
    site = exercise.site
    mounts = [f"--volume={site}:/site", f"--volume={site}/configs:/callbox/configs:ro"]
    user = f"--user={os.getuid()}:{os.getgid()}"
    said = exercise.engine.output("run", "--rm", "--network=none", user, *mounts, IMAGE, "keys", "/site/.env")
    mode = (site / ".env").stat().st_mode & 0o777
    expect(mode == 0o600, f".env has mode {mode:o}")
    return said


def configurations(exercise: Exercise) -> str:
    """All combinations of files and profiles are what compose understands."""
    gpu = yaml.safe_load(output([*exercise.engine.compose, "--file", "compose.yaml", "config"], cwd=exercise.site))
    expect("deploy" in gpu["services"]["worker"], "the worker reserves no GPU")
    everything = yaml.safe_load(exercise.compose("--profile", "sip", "config"))
    expect("deploy" not in everything["services"]["worker"], "compose.cpu.yaml reserves a GPU")
    return f"services: {', '.join(sorted(everything['services']))}"


def start(exercise: Exercise) -> str:
    """Everything is up and healthy, in the order of the dependencies."""
    exercise.compose("up", "--detach", "--wait")
    health = {process: exercise.inspect(process, "{{.State.Health.Status}}") for process in PROCESSES}
    expect(set(health.values()) == {"healthy"}, str(health))
    return "healthy: " + ", ".join(health)


def confinement(exercise: Exercise) -> str:
    """User, capabilities, privileges, root file system and core dumps of the running processes."""
    script = "id -u; grep -E '^(CapBnd|NoNewPrivs)' /proc/1/status; ulimit -c; touch /callbox/x 2>&1 || true"
    for process in PROCESSES:
        said = exercise.engine.output("exec", f"callbox-{process}-1", "sh", "-c", script).split()
        expect(said[0] == str(UID), f"{process} runs as {said[0]}")
        expect(int(said[said.index("CapBnd:") + 1], 16) == 0, f"{process} has capabilities")
        expect(said[said.index("NoNewPrivs:") + 1] == "1", f"{process} may gain privileges")
        expect("Read-only" in said, f"{process} can write its code")
    return f"uid {UID}, no capability, no new privileges, read-only root"


def call(exercise: Exercise) -> str:
    """A simulated caller has a whole conversation over WebRTC."""
    addresses = [f"--web=http://127.0.0.1:{PORTS['web_port']}", f"--ops=http://127.0.0.1:{PORTS['ops_port']}"]
    return output([sys.executable, "-m", "scripts.call", *addresses, "--out=out/image"], cwd=ROOT).splitlines()[-1]


def restart(exercise: Exercise) -> str:
    """A worker that dies is started again, alone."""
    before = {process: exercise.inspect(process, "{{.State.StartedAt}}") for process in PROCESSES}
    os.kill(int(exercise.inspect("worker", "{{.State.Pid}}")), signal.SIGKILL)
    until_s = time.monotonic() + RESTART_TIMEOUT_S
    while exercise.inspect("worker", "{{.RestartCount}} {{.State.Health.Status}}") != "1 healthy":
        expect(time.monotonic() < until_s, "it did not come back")
        time.sleep(1)
    moved = [name for name in PROCESSES if exercise.inspect(name, "{{.State.StartedAt}}") != before[name]]
    expect(moved == ["worker"], f"started again: {moved}")
    return "killed, healthy again; the others went on"


def stop(exercise: Exercise) -> str:
    """SIGTERM is enough."""
    exercise.compose("stop")
    codes = {process: exercise.inspect(process, "{{.State.ExitCode}}") for process in PROCESSES}
    expect("137" not in codes.values(), f"had to be killed: {codes}")
    exercise.compose("down", "--volumes")
    return f"exit codes {codes}"


def without_network(exercise: Exercise) -> str:
    """The same with loopback only: nothing is fetched at start."""
    (exercise.site / "cable-out.yaml").write_text(yaml.safe_dump({"services": CABLE_OUT}))
    try:
        return start(exercise)
    finally:
        exercise.compose("down", "--volumes")


STEPS = {
    "the image builds": build,
    "what is in it": contents,
    "keys at the first run": make_keys,
    "compose understands the files": configurations,
    "compose up": start,
    "the processes are confined": confinement,
    "a call": call,
    "a dying worker": restart,
    "compose stop": stop,
    "compose up without a network": without_network,
}


@contextmanager
def box() -> Iterator[Path]:
    """A folder as it is on a box, with ports of its own."""
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        site.chmod(0o755)  # the containers' user reads it
        copytree(ROOT / "configs", site / "configs")
        for file in ("compose.yaml", "compose.cpu.yaml"):
            copy(ROOT / file, site / file)
        (site / "models").mkdir()
        (site / "configs" / "site.yaml").write_text(yaml.safe_dump({"network": PORTS}))
        yield site


def main() -> int:
    """Exit status: 1 if anything is not as it should be, 2 if it cannot be tried here."""
    console = Console(width=None if sys.stdout.isatty() else 132)
    try:
        with open_engine(ROOT / ".cache" / "engine") as engine, box() as site:
            exercise = Exercise(engine, site)
            for what, step in STEPS.items():
                exercise.check(what, lambda step=step: step(exercise))  # type: ignore[misc]
                if not exercise.rows[-1][1] and step in (build, make_keys):
                    break
    except EngineError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    table = Table("step", "", "found", title="Dockerfile.cuda (PACKAGES=cpu) and compose.yaml, profile demo")
    for what, good, found in exercise.rows:
        table.add_row(what, "[green]ok[/green]" if good else "[red]bad[/red]", found)
    console.print(table)
    return 0 if all(good for _, good, _ in exercise.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
