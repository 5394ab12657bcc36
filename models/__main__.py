"""Verifies and downloads models.

python -m models verify [--profile demo]      check every byte and print a table
python -m models download [--profile cpu]     download what is missing; scripts/download_models.sh runs this
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console

from models.download import Download
from models.errors import ModelError, ModelUnknown
from models.hub import hub_from
from models.manifest import Profile
from models.progress import Display
from models.store import ModelState, ModelStatus, ModelStore, open_store

NVIDIA_DEVICE = Path("/dev/nvidia0")
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 1 if a model is damaged, cannot be downloaded, or is missing although it was asked for, else 0."""
    options = _parser().parse_args(arguments)
    try:
        return download(options) if options.command == "download" else verify(options)
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run the same command again to continue the download.\n")
        return INTERRUPTED


def verify(options: argparse.Namespace) -> int:
    """Check every byte and print a table."""
    store = open_store()
    names = store.names_for(options.profile) if options.profile else tuple(store.manifest.models)
    found = []
    with Display(Console(stderr=True)) as display:
        for name in names:
            with display.check(name, store.manifest.find(name).size) as bar:
                found.append(store.status(name, bar.add))
    sys.stdout.write("\n".join(table(found)) + "\n")
    bad = {ModelState.DAMAGED, ModelState.MISSING} if options.profile else {ModelState.DAMAGED}
    return int(any(status.state in bad for status in found))


def download(options: argparse.Namespace) -> int:
    """Download the models of a profile, or the named ones."""
    store = open_store(unpin=options.update)
    with Display(Console()) as display:
        names, aim = _chosen(store, options, display)
        hub = hub_from(store.root.parent / ".env", options.mirror)
        run = Download(store, hub, display, update=options.update)
        run.run(names)
    if run.failures:
        sys.stderr.write("\n".join(["", *dict.fromkeys(map(str, run.failures)), ""]))
        return 1
    sys.stdout.write(f"{aim}\n")
    return 0


def table(found: Sequence[ModelStatus]) -> list[str]:
    """The lines of a plain text table, followed by what to do about each model that is not OK."""
    head = ("model", "stage", "status", "size", "profiles", "licence")
    rows = [head, *(_row(status) for status in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
    return lines + [status.detail for status in found if status.detail]


def _row(status: ModelStatus) -> tuple[str, ...]:
    model = status.model
    size = f"{model.size / 1e6:.1f} MB" if model.pinned else "not pinned"
    profiles = " ".join(model.profiles) or "tests"
    profiles = f"({profiles})" if model.instead_of else profiles  # it can replace another one
    return (status.name, model.stage, status.state.value, size, profiles, model.licence)


def _chosen(store: ModelStore, options: argparse.Namespace, display: Display) -> tuple[tuple[str, ...], str]:
    """The models to download, and the closing line once they are all present. Raises ModelUnknown."""
    named = tuple(dict.fromkeys([*options.only, *options.update]))
    for name in named:
        model = store.manifest.find(name)
        if options.profile and options.profile not in model.profiles:
            models = ", ".join(other for other, its in store.manifest.models.items() if options.profile in its.profiles)
            raise ModelUnknown(f"Profile '{options.profile}' does not use '{name}'. It uses: {models}.")
    if named:
        return named, f"Ready: {', '.join(named)}."
    has_gpu = NVIDIA_DEVICE.exists()
    profile = options.profile or ("gpu" if has_gpu else "cpu")
    if not options.profile:
        reason = f"{NVIDIA_DEVICE} exists" if has_gpu else f"there is no {NVIDIA_DEVICE}"
        display.say(f"Profile {profile}: {reason} (--profile {'cpu' if has_gpu else 'gpu'} chooses the other).")
    names = store.names_for(profile)
    return (
        names,
        f"All models of profile {profile} are ready: {', '.join(names)}. Start with `make run PROFILE={profile}`.",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models", description="Verify and download models.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("verify", help="check size and SHA-256 of every file")
    check.add_argument("--profile", choices=get_args(Profile), help="only the models that this profile needs")
    get = commands.add_parser("download", help="download what is missing; run it again to continue")
    get.add_argument(
        "--profile",
        choices=("cpu", "gpu"),
        help="the profile whose models to download; default: gpu if there is an NVIDIA device, else cpu",
    )
    get.add_argument("--only", action="append", default=[], metavar="NAME", help="only this model; may be repeated")
    get.add_argument("--update", action="append", default=[], metavar="NAME", help="move its pin to the newest commit")
    get.add_argument("--mirror", metavar="URL", help="a mirror of the hub; default: HF_ENDPOINT, else the hub itself")
    return parser


if __name__ == "__main__":
    sys.exit(main())
