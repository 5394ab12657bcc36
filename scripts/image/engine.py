"""A Docker engine with its clients: the one that answers, else one started here."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import CallboxError

COMPOSE = "github.com/docker/compose/v2/cmd@v2.40.3"
START_TIMEOUT_S = 30.0
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class EngineError(CallboxError):
    """Something is missing on this machine; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine and its clients."""

    docker: str
    """A client that builds with BuildKit."""
    compose: tuple[str, ...]
    folder: Path
    """Holds what is made for the engine."""

    def output(self, *arguments: str) -> str:
        """What `docker ARGUMENTS` prints. Raises CalledProcessError."""
        return output([self.docker, *arguments])


def output(command: Sequence[str], cwd: Path | None = None) -> str:
    """Standard output of a command without its last newline; errors go to stderr. Raises CalledProcessError."""
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip("\n")


def log(line: str) -> None:
    """Print a step."""
    print(f"==> {line}", flush=True)


@contextlib.contextmanager
def open_engine(folder: Path) -> Iterator[Engine]:
    """An engine for the duration of the context; one started here keeps its images in `folder`. Raises EngineError."""
    folder.mkdir(parents=True, exist_ok=True)
    docker = _client()
    with contextlib.nullcontext() if _answers(docker) else _own_daemon(docker, folder):
        yield Engine(docker, _compose(docker, folder), folder)


def _client() -> str:
    """A client that builds with BuildKit: since Docker 23 by the plugin buildx, before that by itself. Raises EngineError."""
    os.environ["DOCKER_BUILDKIT"] = "1"
    for candidate in dict.fromkeys((shutil.which("docker"), "/usr/bin/docker")):
        if candidate is None or not Path(candidate).exists():
            continue
        version = output([candidate, "version", "--format", "{{.Client.Version}}"]) if _answers(candidate) else ""
        old = (version or output([candidate, "--version"]).split()[2]).startswith("20.")
        if old or succeeds(candidate, "buildx", "version"):
            return candidate
    raise EngineError(
        "No docker client on this machine builds with BuildKit. Debian: apt-get install docker.io debootstrap."
    )


def _answers(docker: str) -> bool:
    return succeeds(docker, "info")


def succeeds(*command: str) -> bool:
    """Whether a command exits with status 0; its output is dropped."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def _own_daemon(docker: str, folder: Path) -> Iterator[None]:
    """A dockerd without networks of its own: builds and containers use the host's, and no firewall rule is added."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise EngineError(
            "No Docker engine answers. As root, with Debian's docker.io installed, one would be started here."
        )
    log("no Docker engine answers: starting one")
    address = f"unix://{folder / 'docker.sock'}"
    places = [f"--{name}={folder / place}" for name, place in (("data-root", "data"), ("exec-root", "exec"))]
    command = ["dockerd", *places, f"--pidfile={folder / 'docker.pid'}", f"--host={address}", "--bridge=none"]
    with (folder / "dockerd.log").open("w") as journal:
        daemon = subprocess.Popen(
            [*command, "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
            stdout=journal,
            stderr=journal,
        )
    os.environ["DOCKER_HOST"] = address
    try:
        until_s = time.monotonic() + START_TIMEOUT_S
        while not _answers(docker):
            if daemon.poll() is not None or time.monotonic() > until_s:
                raise EngineError(f"dockerd did not start; {folder / 'dockerd.log'} says why.")
            time.sleep(0.5)
        yield
    finally:
        daemon.terminate()
        daemon.wait()
        # dockerd leaves these mounted, and then the folder cannot be deleted
        for namespace in (folder / "exec" / "netns").glob("*"):
            subprocess.run(["umount", str(namespace)], check=False)
        del os.environ["DOCKER_HOST"]


def _compose(docker: str, folder: Path) -> tuple[str, ...]:
    if succeeds(docker, "compose", "version"):
        return (docker, "compose")
    program = folder / "docker-compose"
    if not program.exists():
        log("no compose plugin here: building one with Go (minutes, once)")
        if shutil.which("go") is None:
            raise EngineError("Docker's compose plugin is missing, and so is Go to build it. Install one of them.")
        source = folder / "compose"  # a module around it, for `go install` refuses what replaces its own modules
        source.mkdir(exist_ok=True)
        if not (source / "go.mod").exists():
            output(["go", "mod", "init", "callbox.invalid/compose"], cwd=source)
        output(["go", "get", COMPOSE], cwd=source)
        output(["go", "build", "-o", str(program), COMPOSE.partition("@")[0]], cwd=source)
    return (str(program),)


def build_secrets(folder: Path) -> list[str]:
    """Options of `docker build` that give it this machine's package registries, without leaving them in the image."""
    pip = output([sys.executable, "-m", "pip", "config", "list"]) if succeeds(sys.executable, "-m", "pip", "-V") else ""
    settings = dict(line.split("=", 1) for line in pip.splitlines() if line.startswith("global."))
    pip_conf, uv_toml = folder / "pip.conf", folder / "uv.toml"
    options = "".join(f"{key.removeprefix('global.')} = {value.strip(chr(39))}\n" for key, value in settings.items())
    certificate = "" if "cert" in options or not CERTIFICATES.exists() else f"cert = {CERTIFICATES}\n"
    pip_conf.write_text(f"[global]\n{options}{certificate}")
    index = settings.get("global.index-url", "").strip("'")
    uv_toml.write_text("native-tls = true\n" + (f'index-url = "{index}"\n' if index else ""))
    files = {"pip.conf": pip_conf, "uv.toml": uv_toml, "ca.pem": CERTIFICATES}
    return [f"--secret=id={name},src={file}" for name, file in files.items() if file.exists()]
