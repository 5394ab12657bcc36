"""Installs a bundle: verifies all of it, copies it file by file, installs the Python packages. Standard library only.

Every step first checks what is already done, so that the same command continues an interrupted install.
"""

from dataclasses import dataclass, field
from pathlib import Path

from models.bundle.contents import BundleManifest
from models.bundle.installed import Record, only_one, read_record, require_folder, write_record
from models.bundle.packages import install_packages
from models.bundle.placing import Placement, is_right, placements, put, sha256_of
from models.bundle.progress import ProgressLines, megabytes, say
from models.bundle.target import find_python, require_disk, require_platform, warnings
from models.bundle.verify import VerifiedBundle, summary, verify


@dataclass(slots=True)
class Outcome:
    """What an install did, for the closing summary."""

    profile: str
    copied: int = 0
    kept: int = 0
    """Files that were already correct."""
    removed: int = 0
    """Files of the previous version that this one does not have."""
    notes: list[str] = field(default_factory=list)


def install(path: Path, public_key_file: Path, into: Path) -> Outcome:
    """Install into `into`, where `make run` then needs no network. Raises BundleRefused, or TargetUnfit before anything is written."""
    into = into.absolute()
    verified = verify(path, public_key_file)
    manifest = verified.manifest
    say("\n".join(summary(verified)))
    require_platform(manifest)
    require_folder(into)
    python = find_python(manifest.pythons)
    missing = _missing(verified, into)
    require_disk(_needs(verified, into, missing))
    outcome = Outcome(manifest.profile, notes=warnings(manifest))
    with only_one(into):
        before = read_record(into)
        outcome.notes += _age(manifest, before)
        write_record(into, _record(manifest, before.files, complete=False))
        _copy(verified, into, missing, before, outcome)
        outcome.removed = _remove_former(verified, into, before)
        install_packages(verified, into, python)
        source = {placement.path: placement.file.sha256 for placement in placements(manifest)}
        write_record(into, _record(manifest, source, complete=True))
    return outcome


def _record(manifest: BundleManifest, files: dict[str, str], *, complete: bool) -> Record:
    return Record(manifest.commit, manifest.created_at, manifest.profile, complete, files)


def _age(manifest: BundleManifest, before: Record) -> list[str]:
    """Warn about an old bundle: its signature stays valid for ever."""
    if manifest.created_at >= before.created_at:
        return []
    return [f"This bundle is older ({manifest.created_at}) than the one installed before ({before.created_at})."]


def _missing(verified: VerifiedBundle, into: Path) -> list[Placement]:
    """Files that are missing, or differ."""
    return [
        placement for placement in placements(verified.manifest) if not is_right(into / placement.path, placement.file)
    ]


def _needs(verified: VerifiedBundle, into: Path, missing: list[Placement]) -> dict[Path, int]:
    """Bytes needed per folder: models may be on a separate disk."""
    manifest = verified.manifest
    wheels = sum(file.size for file in manifest.of("wheels")) if verified.bundle.path.is_file() else 0
    needs = {into / ".venv": manifest.unpacked_packages_bytes, into / ".cache": wheels}
    if (into / ".venv" / ".locked").exists():
        needs[into / ".venv"] = 0  # it exists already; an update unpacks little that is new
    for placement in missing:
        folder = (into / placement.path).parent
        needs[folder] = needs.get(folder, 0) + placement.file.size
    return needs


def _copy(verified: VerifiedBundle, into: Path, missing: list[Placement], before: Record, outcome: Outcome) -> None:
    total = sum(placement.file.size for placement in missing)
    say(f"==> {len(missing)} files, {megabytes(total)}, into {into}")
    progress = ProgressLines("copied", total)
    outcome.kept = len(placements(verified.manifest)) - len(missing)
    for placement in missing:
        target = into / placement.path
        if placement.is_config and target.exists() and sha256_of(target) != before.files.get(placement.path):
            _keep_edited(verified, placement, target, before, outcome)
            continue
        put(verified.bundle, placement.file, target, progress.advance)
        outcome.copied += 1


def _keep_edited(
    verified: VerifiedBundle, placement: Placement, target: Path, before: Record, outcome: Outcome
) -> None:
    """Keep configuration that an operator edited, and put the new version beside it."""
    outcome.kept += 1
    if before.files.get(placement.path) == placement.file.sha256:
        return
    beside = target.with_name(f"{target.name}.new")
    put(verified.bundle, placement.file, beside, lambda count: None)
    outcome.notes.append(f"{placement.path} was edited and is kept; the new version is beside it: {beside.name}.")


def _remove_former(verified: VerifiedBundle, into: Path, before: Record) -> int:
    """Delete files of the old version, whose modules would still be imported. Edited files stay."""
    now = {placement.path for placement in placements(verified.manifest)}
    gone = [path for path in sorted(before.files) if path not in now and not path.startswith("models/store/")]
    removed = 0
    for path in gone:
        target = into / path
        if target.is_file() and sha256_of(target) == before.files[path]:
            target.unlink()
            removed += 1
    return removed
