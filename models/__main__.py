"""`python -m models verify [--profile demo]`: check every byte of the models on this machine and print a table."""

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from models.errors import ModelError
from models.manifest import Profile
from models.store import ModelState, ModelStatus, open_store


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 if a model is damaged, or missing although the profile asked for needs it."""
    parser = argparse.ArgumentParser(prog="python -m models", description="The models on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="check size and SHA-256 of every file")
    verify.add_argument("--profile", choices=get_args(Profile), help="only the models that this profile needs")
    options = parser.parse_args(arguments)
    try:
        store = open_store()
        names = store.names_for(options.profile) if options.profile else tuple(store.manifest.models)
        found = [store.status(name) for name in names]
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(table(found)) + "\n")
    bad = {ModelState.DAMAGED, ModelState.MISSING} if options.profile else {ModelState.DAMAGED}
    return int(any(status.state in bad for status in found))


def table(found: Sequence[ModelStatus]) -> list[str]:
    """Lines of a plain text table, then what to do about each model that is not fine."""
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
    return (status.name, model.stage, status.state.value, size, " ".join(model.profiles) or "tests", model.licence)


if __name__ == "__main__":
    sys.exit(main())
