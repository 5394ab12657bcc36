"""Runs every check and gathers the rows; whatever is broken, there is a row about it and the others go on."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor import (
    certificate,
    checksums,
    clock,
    compiler,
    disk,
    env_file,
    firewall,
    folders,
    gpu,
    gpu_memory,
    libraries,
    livekit,
    memory,
    microphone,
    network_address,
    onnxruntime_builds,
    outside,
    packages,
    ports,
    processor,
    udp_buffer,
)
from agent.operate.doctor.checksums import OnceReadStore, OnModel
from agent.operate.doctor.installation import CannotExamine, Installation
from agent.operate.doctor.report import Report, Row, Subject, split_advice
from agent.operate.doctor.running import find_running
from agent.operate.profiles import choose_profile
from agent.operate.supervisor.livekit_server import CACHE
from agent.settings import ROOT, SITE, SITE_VARIABLE, Settings, load_settings
from models.errors import CallboxError
from models.store import open_store

PROFILE = Subject("profile", "profile")
SETTINGS = Subject("settings", "settings")
MANIFEST = Subject("manifest", "manifest")
AGAIN = "Put it right and run `make doctor` again."

Check = Callable[[Installation], Iterable[Row]]

CHECKS: tuple[tuple[Subject, Check], ...] = (
    (packages.PACKAGES, packages.check),
    (onnxruntime_builds.ONNXRUNTIME, onnxruntime_builds.check),
    (libraries.LIBRARIES, libraries.check),
    (gpu.GPU, gpu.check),
    (gpu_memory.GPU_MEMORY, gpu_memory.check),
    (compiler.COMPILER, compiler.check),
    (processor.CPU, processor.check),
    (memory.MEMORY, memory.check),
    (Subject("model", "models"), checksums.check),
    (disk.DISK, disk.check),
    (folders.FOLDERS, folders.check),
    (livekit.LIVEKIT, livekit.check),
    (ports.PORTS, ports.check),
    (network_address.ADDRESS, network_address.check),
    (firewall.FIREWALL, firewall.check),
    (udp_buffer.UDP_BUFFER, udp_buffer.check),
    (microphone.MICROPHONE, microphone.check),
    (certificate.CERTIFICATE, certificate.check),
    (clock.CLOCK, clock.check),
    (env_file.SECRETS, env_file.check),
    (outside.OFFLINE, outside.check),
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What all the checks go by, and the rows about it."""

    installation: Installation
    rows: tuple[Row, ...]


def examine(profile: str, *, on_model: OnModel, root: Path = ROOT) -> Report:
    """A whole visit. `profile` "" is the one that `make run` would choose."""
    opened = _open(profile, on_model, root)
    rows = [*opened.rows]
    for subject, check in CHECKS:
        rows += rows_of(subject, check, opened.installation)
    return Report.of(opened.installation.profile, rows)


def rows_of(subject: Subject, check: Check, installation: Installation) -> tuple[Row, ...]:
    """The check's rows, or the one row that says why there are none."""
    try:
        return tuple(check(installation))
    except CannotExamine as reason:
        return (subject.skipped(str(reason)),)
    except CallboxError as error:
        return (_refused(subject, error),)
    except Exception as error:  # noqa: BLE001 - a doctor who falls ill with the patient is of no use
        found = f"the check itself failed: {type(error).__name__}: {error}"
        return (
            subject.failed(
                found, fix=f"Look at it by hand, and report this (agent/operate/doctor, check {subject.check})."
            ),
        )


def _open(profile: str, on_model: OnModel, root: Path) -> _Opened:
    store, manifest_rows = _open_store(on_model)
    name, profile_row = _choose(profile, store)
    settings, settings_row = _read_settings(name)
    installation = Installation(
        root=root,
        cache=Path(os.environ.get("CALLBOX_CACHE", CACHE)),
        profile=name,
        known_settings=settings,
        known_store=store,
        running=find_running(settings.network.ops_port) if settings is not None else None,
    )
    return _Opened(installation, (profile_row, settings_row, *manifest_rows))


def _open_store(on_model: OnModel) -> tuple[OnceReadStore | None, tuple[Row, ...]]:
    try:
        store = open_store()
    except CallboxError as error:
        return None, (_refused(MANIFEST, error),)
    return OnceReadStore(root=store.root, manifest=store.manifest, on_model=on_model), ()


def _choose(profile: str, store: OnceReadStore | None) -> tuple[str, Row]:
    if profile:
        return profile, PROFILE.ok(f"{profile}: as asked for")
    if store is None:
        return "demo", PROFILE.failed("none can be chosen without the manifest; examined as for demo", fix=AGAIN)
    try:
        choice = choose_profile(store)
    except CallboxError as error:
        found, fix = split_advice(str(error), otherwise=AGAIN)
        return "demo", PROFILE.failed(f"none can be chosen ({found}); examined as for demo", fix=fix)
    return choice.profile, PROFILE.ok(f"{choice.profile}: {choice.reason}")


def _read_settings(profile: str) -> tuple[Settings | None, Row]:
    site = Path(os.environ.get(SITE_VARIABLE, SITE))
    try:
        settings = load_settings(profile)
    except CallboxError as error:
        return None, _refused(SETTINGS, error)
    except OSError as error:
        return None, SETTINGS.failed(
            f"{error.filename or site} cannot be read ({error.strerror})", fix="Give this user the right to it."
        )
    return settings, SETTINGS.ok(f"configs/profiles/{profile}.yaml, {site.name if site.exists() else 'no site.yaml'}")


def _refused(subject: Subject, error: CallboxError) -> Row:
    found, fix = split_advice(str(error), otherwise=AGAIN)
    return subject.failed(found, fix=fix)
