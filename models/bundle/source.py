"""The project's source as of the last commit."""

import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from models.bundle.archive import BLOCK_BYTES
from models.bundle.errors import BundleNotMade
from models.bundle.placing import MODEL_LOCK
from models.bundle.writer import BundleWriter


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that the bundle is made from."""

    id: str
    epoch: int
    """Its time, seconds since 1970."""
    uncommitted: tuple[str, ...]
    """Changed and new files of the checkout, which are not in the bundle."""


def head(root: Path) -> Commit:
    """Raises BundleNotMade outside a git checkout."""
    commit, epoch = _git(root, "show", "--no-patch", "--format=%H %ct", "HEAD").split()
    status = _git(root, "status", "--porcelain", "--untracked-files=all").splitlines()
    return Commit(commit, int(epoch), tuple(path for line in status if (path := line[3:]) != MODEL_LOCK))


def add_source(root: Path, commit: Commit, writer: BundleWriter) -> None:
    """Add every tracked file of the commit below source/. Raises BundleNotMade for links, which a bundle must not have.

    Leaves out the models' lock: the one that the bundled models were verified against comes with them.
    """
    command = ["git", "archive", "--format=tar", commit.id]
    with (
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as git,
        tarfile.open(fileobj=git.stdout, mode="r|") as archive,
    ):
        for member in archive:
            if member.isdir() or member.name == MODEL_LOCK:
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise BundleNotMade(f"{member.name} is a link; bundles carry plain files only. Replace it in git.")
            writer.add_stream(f"source/{member.name}", stream, executable=bool(member.mode & 0o100))
        # Read the padding too: git would fail on a pipe that is closed early.
        while git.stdout and git.stdout.read(BLOCK_BYTES):
            pass
    if git.returncode != 0:
        raise BundleNotMade("`git archive` failed; see its message above.")


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BundleNotMade("git is not on PATH. A bundle is made from a git checkout.") from None
    if done.returncode != 0:
        raise BundleNotMade(f"{root} is not a readable git checkout: {done.stderr.strip()}")
    return done.stdout
