"""What is checked of the image and of compose.yaml, step by step."""

import os
import signal
import sys
import time

import yaml

from scripts.image.engine import build_secrets, output
from scripts.image.exercise import PORTS, Exercise, expect
from scripts.image.stand_ins import require_image
from scripts.paths import ROOT

IMAGE = "callbox:cpu"
UID = 10001
PROCESSES = ("livekit", "worker", "web")
UNPLUGGED = {"livekit": {"network_mode": "none"}, "worker": {"network_mode": "service:livekit"}}
UNPLUGGED |= {"web": UNPLUGGED["worker"]}
RESTART_TIMEOUT_S = 120.0


def build(exercise: Exercise) -> str:
    """Build the image by its Dockerfile."""
    engine = exercise.engine
    bases = {name: require_image(engine, name) for name in ("debian:bookworm-slim", "golang:1.26-bookworm")}
    options = ["--network=host", "--file=Dockerfile.cuda", f"--tag={IMAGE}", "--build-arg=PACKAGES=cpu"]
    goproxy = [f"--build-arg={name}={os.environ[name]}" for name in ("GOPROXY", "GOSUMDB") if name in os.environ]
    output([engine.docker, "build", *options, *goproxy, *build_secrets(engine.folder), "."], cwd=ROOT)
    size_mb = int(engine.output("image", "inspect", "--format", "{{.Size}}", IMAGE)) / 1e6
    return f"{size_mb:.0f} MB; " + "; ".join(f"{name} {how}" for name, how in bases.items())


def contents(exercise: Exercise) -> str:
    """No secret, installer or test is in the image, and its user can write nothing but the cache."""
    script = (
        "cd /callbox; ls -A; ls .env .git tests configs/site.yaml .venv/bin/uv .venv/bin/pip 2>/dev/null;"
        " echo --; find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' 2>/dev/null || true"
    )
    run = ["run", "--rm", "--network=none", "--entrypoint=/bin/sh", IMAGE, "-c", script]
    listing, _, writable = exercise.engine.output(*run).partition("--\n")
    unwanted = {".env", ".git", "tests", "configs/site.yaml", ".venv/bin/uv", ".venv/bin/pip"} & set(listing.split())
    expect(not unwanted, f"should not be in it: {', '.join(sorted(unwanted))}")
    allowed = {"/tmp", "/var/tmp", "/run/lock", "/var/cache/callbox"}
    expect(set(writable.split()) <= allowed, f"can be written: {writable.split()}")
    return "no secret, installer or test; only its cache and temporary folders can be written"


def make_keys(exercise: Exercise) -> str:
    """Run the one command of the first run, as an ordinary user who owns the folder."""
    site = exercise.site
    mounts = [f"--volume={site}:/site", f"--volume={site}/configs:/callbox/configs:ro"]
    user = f"--user={os.getuid()}:{os.getgid()}"
    said = exercise.engine.output("run", "--rm", "--network=none", user, *mounts, IMAGE, "keys", "/site/.env")
    mode = (site / ".env").stat().st_mode & 0o777
    expect(mode == 0o600, f".env has mode {mode:o}")
    return said


def configurations(exercise: Exercise) -> str:
    """Compose understands all combinations of files and profiles."""
    gpu = yaml.safe_load(output([*exercise.engine.compose, "--file", "compose.yaml", "config"], cwd=exercise.site))
    expect("deploy" in gpu["services"]["worker"], "the worker reserves no GPU")
    everything = yaml.safe_load(exercise.compose("--profile", "sip", "config"))
    expect("deploy" not in everything["services"]["worker"], "compose.cpu.yaml reserves a GPU")
    return f"services: {', '.join(sorted(everything['services']))}"


def start(exercise: Exercise) -> str:
    """Everything starts in the order of the dependencies and is healthy."""
    exercise.compose("up", "--detach", "--wait")
    health = {process: exercise.inspect(process, "{{.State.Health.Status}}") for process in PROCESSES}
    expect(set(health.values()) == {"healthy"}, str(health))
    return "healthy: " + ", ".join(health)


def confinement(exercise: Exercise) -> str:
    """The running processes have no privileges and cannot write their code."""
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
    """A worker that dies is restarted, and nothing else is."""
    before = {process: exercise.inspect(process, "{{.State.StartedAt}}") for process in PROCESSES}
    os.kill(int(exercise.inspect("worker", "{{.State.Pid}}")), signal.SIGKILL)
    until_s = time.monotonic() + RESTART_TIMEOUT_S
    while exercise.inspect("worker", "{{.RestartCount}} {{.State.Health.Status}}") != "1 healthy":
        expect(time.monotonic() < until_s, "it was not restarted")
        time.sleep(1)
    restarted = [name for name in PROCESSES if exercise.inspect(name, "{{.State.StartedAt}}") != before[name]]
    expect(restarted == ["worker"], f"restarted: {restarted}")
    return "killed, restarted and healthy; the others kept running"


def stop(exercise: Exercise) -> str:
    """Everything stops on SIGTERM."""
    exercise.compose("stop")
    codes = {process: exercise.inspect(process, "{{.State.ExitCode}}") for process in PROCESSES}
    expect("137" not in codes.values(), f"had to be killed: {codes}")
    exercise.compose("down", "--volumes")
    return f"exit codes {codes}"


def without_network(exercise: Exercise) -> str:
    """Everything starts with loopback only: nothing is fetched."""
    (exercise.site / "unplugged.yaml").write_text(yaml.safe_dump({"services": UNPLUGGED}))
    try:
        return start(exercise)
    finally:
        exercise.compose("down", "--volumes")


STEPS = {
    "the image builds": build,
    "the image's contents": contents,
    "keys at the first run": make_keys,
    "compose understands the files": configurations,
    "compose up": start,
    "the processes are confined": confinement,
    "a call": call,
    "a killed worker": restart,
    "compose stop": stop,
    "compose up without a network": without_network,
}
