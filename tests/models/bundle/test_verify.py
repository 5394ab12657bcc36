"""A complete bundle passes; whatever differs from what was signed is refused, naming the file."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle.contents import MANIFEST, SIGNATURE
from models.bundle.errors import BundleRefused
from models.bundle.verify import summary, verify
from tests.models.bundle.synthetic import (
    FILES,
    MODEL,
    SOURCE,
    WHEEL,
    Operator,
    append,
    edit_json,
    make_bundle,
    make_operator,
    make_tar,
    rename_listed,
    resign,
)

pytestmark = pytest.mark.unit


def flip(path: Path, at: int = 3) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("form", ["bundle", "tar"])
def test_whole_bundle_passes(form: str, request: pytest.FixtureRequest, operator: Operator) -> None:
    verified = verify(request.getfixturevalue(form), operator.public)
    assert {file.path for file in verified.manifest.files} == set(FILES)
    table = "\n".join(summary(verified))
    assert f"all {len(FILES)} " in " ".join(table.split())
    assert "profile demo for Python 3.11 and 3.12" in table


@pytest.mark.parametrize("path", [MODEL, WHEEL, SOURCE, "server/livekit-server", "licences/README.txt"])
def test_flipped_byte_is_named(bundle: Path, operator: Operator, path: str) -> None:
    flip(bundle / path)
    with pytest.raises(BundleRefused, match=f"'{path}' was changed: its SHA-256"):
        verify(bundle, operator.public)
    with pytest.raises(BundleRefused, match=f"'{path}' was changed: its SHA-256"):
        verify(make_tar(bundle, bundle.with_suffix(".tar")), operator.public)


def test_every_damaged_file_is_named(bundle: Path, operator: Operator) -> None:
    flip(bundle / MODEL)
    (bundle / WHEEL).unlink()
    (bundle / "source" / "extra.py").write_text("import os\n")
    with pytest.raises(BundleRefused) as caught:
        verify(bundle, operator.public)
    for words in (f"'{MODEL}' was changed", f"'{WHEEL}' is missing", "'source/extra.py' was added"):
        assert words in str(caught.value)


@pytest.mark.parametrize("change", [b"", b"more"], ids=["shorter", "longer"])
def test_other_length_is_named(bundle: Path, operator: Operator, change: bytes) -> None:
    (bundle / SOURCE).write_bytes(FILES[SOURCE] + change if change else FILES[SOURCE][:-1])
    with pytest.raises(BundleRefused, match=f"'{SOURCE}' was changed: it does not have {len(FILES[SOURCE])} bytes"):
        verify(bundle, operator.public)


@pytest.mark.parametrize("name", ["run.sh", "source/.git/hooks/post-checkout", "wheels/evil-1.0-py3-none-any.whl"])
def test_added_file_is_named(bundle: Path, operator: Operator, name: str) -> None:
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_bytes(b"")
    with pytest.raises(BundleRefused, match=f"'{name}' was added"):
        verify(bundle, operator.public)


def test_link_in_the_place_of_a_file_is_refused_even_to_the_right_bytes(bundle: Path, operator: Operator) -> None:
    (bundle / MODEL).rename(bundle.parent / "model.bin")
    (bundle / MODEL).symlink_to(bundle.parent / "model.bin")
    with pytest.raises(BundleRefused, match=f"'{MODEL}' is a symbolic link"):
        verify(bundle, operator.public)


def test_link_in_the_place_of_a_folder_is_refused(bundle: Path, operator: Operator) -> None:
    (bundle / "models").rename(bundle.parent / "elsewhere")
    (bundle / "models").symlink_to(bundle.parent / "elsewhere")
    with pytest.raises(BundleRefused, match="'models' is a symbolic link"):
        verify(bundle, operator.public)


def test_pipe_is_refused_and_not_waited_for(bundle: Path, operator: Operator) -> None:
    (bundle / SOURCE).unlink()
    os.mkfifo(bundle / SOURCE)
    with pytest.raises(BundleRefused, match=f"'{SOURCE}' is a device or a socket"):
        verify(bundle, operator.public)


def test_edited_manifest_is_refused(bundle: Path, operator: Operator) -> None:
    flip(bundle / MANIFEST, at=-40)
    with pytest.raises(BundleRefused, match=r"manifest\.json or manifest\.json\.sig was changed"):
        verify(bundle, operator.public)


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\0" * 65, b"\0" * 63])
def test_other_signature_is_refused(bundle: Path, operator: Operator, signature: bytes) -> None:
    (bundle / SIGNATURE).write_bytes(signature)
    with pytest.raises(BundleRefused, match=r"was changed|is longer than 64 bytes"):
        verify(bundle, operator.public)


def test_bundle_signed_with_another_key_is_refused_and_both_fingerprints_shown(
    tmp_path: Path, operator: Operator
) -> None:
    other = make_operator(tmp_path / "others")
    bundle = make_bundle(tmp_path / "theirs", other)
    with pytest.raises(BundleRefused, match="signed with another key") as caught:
        verify(bundle, operator.public)
    assert verify(bundle, other.public).manifest.signed_by in str(caught.value)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE])
def test_missing_manifest_or_signature_is_named(bundle: Path, operator: Operator, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleRefused, match=f"{name} is missing"):
        verify(bundle, operator.public)


def test_what_is_not_there_is_said(tmp_path: Path, operator: Operator) -> None:
    with pytest.raises(BundleRefused, match="does not exist"):
        verify(tmp_path / "nothing", operator.public)


@pytest.mark.parametrize("path", ["../evil.py", "/etc/evil", "source/../../evil", "source//x", "source/./x", "source/a\\b", "elsewhere/x", "source/\x1b[2J"])  # fmt: skip
def test_signed_path_that_leaves_the_bundle_is_refused(bundle: Path, operator: Operator, path: str) -> None:
    resign(bundle, operator, rename_listed(SOURCE, path))
    with pytest.raises(BundleRefused, match=r"manifest\.json: .* (is not a plain|would leave|is not in any)"):
        verify(bundle, operator.public)


def test_path_listed_twice_is_refused(bundle: Path, operator: Operator) -> None:
    resign(bundle, operator, rename_listed(SOURCE, MODEL))
    with pytest.raises(BundleRefused, match=f"'{MODEL}' is listed twice"):
        verify(bundle, operator.public)


@pytest.mark.parametrize(
    "changes", [{"format": 2}, {"extra": 1}, {"files": 5}, {"models": "abc"}, {"platform": "plan9"}]
)
def test_signed_manifest_of_another_shape_is_refused(
    bundle: Path, operator: Operator, changes: dict[str, object]
) -> None:
    edit_json(bundle, operator, **changes)
    with pytest.raises(BundleRefused, match=r"manifest\.json"):
        verify(bundle, operator.public)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.75])
def test_tar_that_was_cut_off_is_refused(tar: Path, operator: Operator, share: float) -> None:
    with tar.open("r+b") as stream:
        stream.truncate(int(tar.stat().st_size * share) // 512 * 512 + 100)
    with pytest.raises(BundleRefused, match=r"truncated|is missing|cannot be read"):
        verify(tar, operator.public)


def test_tar_that_ends_between_two_files_is_refused(tar: Path, operator: Operator) -> None:
    with tarfile.open(tar) as archive:
        last = archive.getmembers()[-1]
    with tar.open("r+b") as stream:
        stream.truncate(last.offset)
    with pytest.raises(BundleRefused, match=f"'{last.name}' is missing"):
        verify(tar, operator.public)


def _link(kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo("source/link")
    member.type, member.linkname = kind, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (lambda: tarfile.TarInfo(MODEL), f"'{MODEL}' is in the tar twice"),
        (lambda: tarfile.TarInfo(f"./{MODEL}"), f"'{MODEL}' is in the tar twice"),
        (lambda: tarfile.TarInfo("../evil.py"), r"'\.\./evil\.py' was added: would leave its folder"),
        (lambda: tarfile.TarInfo("/etc/evil"), "'/etc/evil' was added: is not a plain relative path"),
        (lambda: _link(tarfile.SYMTYPE), "'source/link' is a link or a device"),
        (lambda: _link(tarfile.LNKTYPE), "'source/link' is a link or a device"),
        (lambda: _link(tarfile.CHRTYPE), "'source/link' is a link or a device"),
    ],
)
def test_odd_member_of_a_tar_is_named(
    tar: Path, operator: Operator, member: Callable[[], tarfile.TarInfo], words: str
) -> None:
    append(tar, member())
    with pytest.raises(BundleRefused, match=words):
        verify(tar, operator.public)


def test_tar_made_by_hand_of_the_folder_passes(bundle: Path, operator: Operator, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "by-hand.tar", "w") as archive:
        archive.add(bundle, arcname=".")
    assert verify(tmp_path / "by-hand.tar", operator.public)
