"""A Docker engine to exercise the image with: the one that is reachable, else one of our own, and what it lacks."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COMPOSE = "github.com/docker/compose/v2/cmd@v2.40.3"
START_TIMEOUT_S = 30.0
DEBIAN = "bookworm"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class EngineError(Exception):
    """What is missing on this machine, and how it gets here."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine and its clients."""

    docker: str
    """A client that builds with BuildKit."""
    compose: tuple[str, ...]
    folder: Path
    """Ours; what is made for the engine lies there."""

    def output(self, *arguments: str) -> str:
        """What `docker ARGUMENTS` prints. Raises CalledProcessError."""
        return output([self.docker, *arguments])


def output(command: Sequence[str], cwd: Path | None = None) -> str:
    """Standard output of a command without its last newline. Raises CalledProcessError; its error goes to ours."""
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip("\n")


def log(line: str) -> None:
    """A step of the preparations."""
    print(f"==> {line}", flush=True)


@contextlib.contextmanager
def open_engine(folder: Path) -> Iterator[Engine]:
    """An engine as long as it is needed; containers and images stay in `folder` if it is ours. Raises EngineError."""
    folder.mkdir(parents=True, exist_ok=True)
    docker = _client()
    with contextlib.nullcontext() if _answers(docker) else _own_daemon(docker, folder):
        yield Engine(docker, _compose(docker, folder), folder)


def _client() -> str:
    """Docker since 23 builds with its plugin buildx, before that by itself. Raises EngineError."""
    os.environ["DOCKER_BUILDKIT"] = "1"
    for candidate in dict.fromkeys((shutil.which("docker"), "/usr/bin/docker")):
        if candidate is None or not Path(candidate).exists():
            continue
        version = output([candidate, "version", "--format", "{{.Client.Version}}"]) if _answers(candidate) else ""
        old = (version or output([candidate, "--version"]).split()[2]).startswith("20.")
        if old or _succeeds(candidate, "buildx", "version"):
            return candidate
    raise EngineError("No docker client here builds with BuildKit. Debian: apt-get install docker.io debootstrap.")


def _answers(docker: str) -> bool:
    return _succeeds(docker, "info")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def _own_daemon(docker: str, folder: Path) -> Iterator[None]:
    """dockerd without networks of its own: builds and containers use the host's, and no firewall rule is made."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise EngineError("No Docker engine answers. As root with Debian's docker.io one of our own would be started.")
    log("no Docker engine answers: starting one of our own")
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
        for namespace in (folder / "exec" / "netns").glob(
            "*"
        ):  # mounts that dockerd leaves; the folder could not be deleted
            subprocess.run(["umount", str(namespace)], check=False)
        del os.environ["DOCKER_HOST"]


def _compose(docker: str, folder: Path) -> tuple[str, ...]:
    if _succeeds(docker, "compose", "version"):
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


def require_image(engine: Engine, name: str) -> str:
    """Have the image `name`: from the engine, from its registry, or a stand-in made here. Returns which of them."""
    if _succeeds(engine.docker, "image", "inspect", name):
        return "was here"
    if _succeeds(engine.docker, "pull", "--quiet", name):
        return "pulled"
    log(f"{name} cannot be pulled: making a stand-in")
    if name.startswith("golang:"):
        _make_golang(engine, name)
        return "stand-in: this machine's Go on Debian"
    _make_debian(engine, name)
    return "stand-in: debootstrap"


def _make_debian(engine: Engine, name: str) -> None:
    """The same release, by debootstrap, from the mirror that it takes by itself."""
    if shutil.which("debootstrap") is None:
        raise EngineError("debootstrap is missing: apt-get install debootstrap.")
    root = engine.folder / DEBIAN
    shutil.rmtree(root, ignore_errors=True)
    output(["debootstrap", "--variant=minbase", DEBIAN, str(root)])
    archive = engine.folder / f"{DEBIAN}.tar"
    output(["tar", "--create", f"--file={archive}", f"--directory={root}", "."])
    engine.output("import", str(archive), name)
    archive.unlink()
    shutil.rmtree(root)


def _make_golang(engine: Engine, name: str) -> None:
    """This machine's Go where the official image has it."""
    require_image(engine, f"debian:{DEBIAN}-slim")
    recipe = engine.folder / "golang.Dockerfile"
    recipe.write_text(
        f"FROM debian:{DEBIAN}-slim\n"
        "RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates git\n"
        "COPY . /usr/local/go\n"
        "ENV GOPATH=/go PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin\n"
    )
    engine.output("build", "--network=host", f"--tag={name}", f"--file={recipe}", output(["go", "env", "GOROOT"]))


def build_secrets(folder: Path) -> list[str]:
    """This machine's own way to its package registries, for a build: options of `docker build`. Nothing stays in it."""
    pip = (
        output([sys.executable, "-m", "pip", "config", "list"]) if _succeeds(sys.executable, "-m", "pip", "-V") else ""
    )
    settings = dict(line.split("=", 1) for line in pip.splitlines() if line.startswith("global."))
    pip_conf, uv_toml = folder / "pip.conf", folder / "uv.toml"
    options = "".join(f"{key.removeprefix('global.')} = {value.strip(chr(39))}\n" for key, value in settings.items())
    certificate = "" if "cert" in options or not CERTIFICATES.exists() else f"cert = {CERTIFICATES}\n"
    pip_conf.write_text(f"[global]\n{options}{certificate}")
    index = settings.get("global.index-url", "").strip("'")
    uv_toml.write_text("native-tls = true\n" + (f'index-url = "{index}"\n' if index else ""))
    files = {"pip.conf": pip_conf, "uv.toml": uv_toml, "ca.pem": CERTIFICATES}
    return [f"--secret=id={name},src={file}" for name, file in files.items() if file.exists()]
