"""Runs every check and collects the rows. Whatever is broken gets a row, and the other checks go on."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor import (
    checksums,
    clock,
    disk,
    env_file,
    firewall,
    folders,
    gpu,
    gpu_software,
    hardware,
    https,
    livekit,
    network_address,
    outside,
    packages,
    ports,
)
from agent.operate.doctor.checksums import OnceReadStore, OnModel
from agent.operate.doctor.installation import CannotExamine, Installation, find_running
from agent.operate.doctor.report import Report, Row, Subject, split_advice
from agent.operate.profiles import choose_profile
from agent.operate.supervisor.livekit_server import CACHE
from agent.settings import ROOT, SITE, SITE_VARIABLE, Settings, load_settings
from models.errors import CallboxError
from models.store import open_store

PROFILE = Subject("profile", "profile")
SETTINGS = Subject("settings", "settings")
MANIFEST = Subject("manifest", "manifest")
AGAIN = "Correct it, then run `make doctor` again."

Check = Callable[[Installation], Iterable[Row]]

CHECKS: tuple[tuple[Subject, Check], ...] = (
    (packages.PACKAGES, packages.check_packages),
    (packages.ONNXRUNTIME, packages.check_onnxruntime),
    (gpu_software.LIBRARIES, gpu_software.check_cuda_libraries),
    (gpu.GPU, gpu.check_gpu),
    (gpu.GPU_MEMORY, gpu.check_memory),
    (gpu_software.COMPILER, gpu_software.check_compiler),
    (hardware.CPU, hardware.check_cpu),
    (hardware.MEMORY, hardware.check_memory),
    (Subject("model", "models"), checksums.check),
    (disk.DISK, disk.check),
    (folders.FOLDERS, folders.check),
    (livekit.LIVEKIT, livekit.check),
    (ports.PORTS, ports.check_ports),
    (network_address.ADDRESS, network_address.check),
    (firewall.FIREWALL, firewall.check),
    (ports.UDP_BUFFER, ports.check_buffer),
    (https.MICROPHONE, https.check_microphone),
    (https.CERTIFICATE, https.check_certificate),
    (clock.CLOCK, clock.check),
    (env_file.SECRETS, env_file.check),
    (outside.OFFLINE, outside.check),
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What all the checks are based on, and the rows about that."""

    installation: Installation
    rows: tuple[Row, ...]


def examine(profile: str, *, on_model: OnModel, root: Path = ROOT) -> Report:
    """Run all checks. An empty `profile` means the one that `make run` would choose."""
    opened = _open(profile, on_model, root)
    rows = [*opened.rows]
    for subject, check in CHECKS:
        rows += rows_of(subject, check, opened.installation)
    return Report.of(opened.installation.profile, rows)


def rows_of(subject: Subject, check: Check, installation: Installation) -> tuple[Row, ...]:
    """The check's rows, or a single row that says why there are none."""
    try:
        return tuple(check(installation))
    except CannotExamine as reason:
        return (subject.skipped(str(reason)),)
    except CallboxError as error:
        return (_refused(subject, error),)
    except Exception as error:  # noqa: BLE001 - a check that crashes must not take the others with it
        found = f"the check itself failed: {type(error).__name__}: {error}"
        fix = f"Check it by hand, and report this (agent/operate/doctor, check {subject.check})."
        return (subject.failed(found, fix=fix),)


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
        return profile, PROFILE.ok(f"{profile}: as requested")
    if store is None:
        return "demo", PROFILE.failed("none can be chosen without the manifest; checked for demo instead", fix=AGAIN)
    try:
        choice = choose_profile(store)
    except CallboxError as error:
        found, fix = split_advice(str(error), otherwise=AGAIN)
        return "demo", PROFILE.failed(f"none can be chosen ({found}); checked for demo instead", fix=fix)
    return choice.profile, PROFILE.ok(f"{choice.profile}: {choice.reason}")


def _read_settings(profile: str) -> tuple[Settings | None, Row]:
    site = Path(os.environ.get(SITE_VARIABLE, SITE))
    try:
        settings = load_settings(profile)
    except CallboxError as error:
        return None, _refused(SETTINGS, error)
    except OSError as error:
        return None, SETTINGS.failed(
            f"{error.filename or site} cannot be read ({error.strerror})", fix="Give this user permission to read it."
        )
    return settings, SETTINGS.ok(f"configs/profiles/{profile}.yaml, {site.name if site.exists() else 'no site.yaml'}")


def _refused(subject: Subject, error: CallboxError) -> Row:
    found, fix = split_advice(str(error), otherwise=AGAIN)
    return subject.failed(found, fix=fix)
