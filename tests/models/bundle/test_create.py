"""Making bundles of a small project with a folder as its package index: complete, reproducible, or not made at all."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.bundle.contents import BundleManifest
from models.bundle.create import Order, create
from models.bundle.errors import BundleNotMade
from models.bundle.progress import Advance
from models.bundle.verify import verify
from models.errors import ChecksumMismatch, ModelMissing
from tests.models.bundle.project import LICENCE_TEXT, WEIGHTS, make_index, make_project
from tests.models.bundle.synthetic import Operator, make_operator

pytestmark = pytest.mark.unit

Make = Callable[[str], Path]


class Said:
    """Records what is reported."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def step(self, words: str) -> None:
        self.words.append(words)

    def counted(self, what: str, total: int) -> Advance:
        self.words.append(f"{what}: {total}")
        return lambda count: None


@pytest.fixture
def said() -> Said:
    return Said()


@contextmanager
def made_project(folder: Path) -> Iterator[Path]:
    """Make pip use the index's folder only."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PIP_NO_INDEX", "1")
        environment.setenv("PIP_FIND_LINKS", str(folder / "index"))
        environment.delenv("CALLBOX_CACHE", raising=False)
        yield make_project(folder / "project", make_index(folder / "index"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project that a test may change."""
    with made_project(tmp_path) as project:
        yield project


@pytest.fixture
def make(project: Path, operator: Operator, said: Said, tmp_path: Path) -> Make:
    """A function that makes a bundle with this name."""

    def made(name: str) -> Path:
        out = tmp_path / name
        create(Order(root=project, profile="demo", pythons=("3.11",), out=out, key=operator.private), said)
        return out

    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, BundleManifest]]:
    """One bundle for tests that only read it, with its project and verified manifest."""
    folder = tmp_path_factory.mktemp("made")
    operator = make_operator(folder / "keys")
    with made_project(folder) as project:
        out = folder / "out"
        create(Order(root=project, profile="demo", pythons=("3.11", "3.12"), out=out, key=operator.private), Said())
        yield out, project, verify(out, operator.public).manifest


def test_bundle_has_everything_and_verifies(made: tuple[Path, Path, BundleManifest]) -> None:
    out, project, manifest = made
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True).stdout
    assert (manifest.version, manifest.commit, manifest.pythons) == ("7.8", head.strip(), ("3.11", "3.12"))
    assert (manifest.models, manifest.livekit_server) == (("big-model",), "1.13.5")
    assert (out / "models/big-model/model.bin").read_bytes() == WEIGHTS
    assert (out / "models/lock.yaml").read_bytes() == (project / "models/lock.yaml").read_bytes()
    assert (out / "source/models/demo/some_model/model.bin").read_bytes() == WEIGHTS
    names = {"tiny-1.0-py3-none-any.whl", "uv-1.0-py3-none-any.whl", "onlysource-1.0-py3-none-any.whl", "built.txt"}
    assert {path.name for path in (out / "wheels").iterdir()} == names
    assert not list(out.parent.glob("*.partial"))


def test_what_was_built_is_pinned_by_its_own_hash(made: tuple[Path, Path, BundleManifest]) -> None:
    out, _, manifest = made
    (built,) = (file for file in manifest.files if "onlysource" in file.path)
    assert f"onlysource==1.0 --hash=sha256:{built.sha256}\n" in (out / "wheels/built.txt").read_text()
    assert "tiny" not in (out / "wheels/built.txt").read_text()


def test_bill_of_materials_and_licences(made: tuple[Path, Path, BundleManifest]) -> None:
    out, _, _ = made
    bill = json.loads((out / "sbom.cdx.json").read_bytes())
    by_name = {component["name"]: component for component in bill["components"]}
    assert set(by_name) == {"tiny", "uv", "onlysource", "livekit-server", "small-model", "big-model"}
    assert by_name["tiny"]["purl"] == "pkg:pypi/tiny@1.0"
    assert by_name["tiny"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert by_name["uv"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert by_name["big-model"]["type"] == "machine-learning-model"
    assert all(
        by_name[name]["hashes"][0]["alg"] == "SHA-256" for name in ("tiny", "uv", "onlysource", "livekit-server")
    )
    assert (out / "licences/python/tiny-1.0/LICENSE").read_text() == "licence of tiny"
    assert (out / "licences/models/big-model/LICENSE.txt").read_bytes() == LICENCE_TEXT
    assert (out / "licences/callbox/NOTICE").read_text() == "Callbox\n"
    assert "Big Community" in (out / "licences/README.txt").read_text()


def test_same_commit_and_time_make_the_same_bytes(
    make: Make, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one, two = make("one.tar"), make("two.tar")
    assert one.read_bytes() == two.read_bytes()
    assert verify(one, operator.public).manifest.created_at == "2023-11-14T22:13:20+00:00"


def test_what_is_not_committed_is_named_and_left_out(make: Make, project: Path, said: Said) -> None:
    (project / "configs/clinic.yaml").write_text("name: Changed\n")
    (project / "new.py").write_text("")
    out = make("out")
    assert (out / "source/configs/clinic.yaml").read_text() == "name: Clinic\n"
    assert not (out / "source/new.py").exists()
    assert any("configs/clinic.yaml, new.py" in words and "2 files" in words for words in said.words)


def test_missing_model_stops_before_anything_is_downloaded(
    make: Make, project: Path, said: Said, tmp_path: Path
) -> None:
    (project / "models/store/big-model/model.bin").unlink()
    with pytest.raises(ModelMissing, match=r"Run `scripts/download_models\.sh`"):
        make("out")
    assert not any("packages" in words for words in said.words)
    assert not list(tmp_path.glob("out*"))


def test_damaged_model_is_not_bundled(make: Make, project: Path) -> None:
    (project / "models/store/big-model/model.bin").write_bytes(WEIGHTS.swapcase())
    with pytest.raises(ChecksumMismatch, match=r"model\.bin"):
        make("out")


def test_wheel_that_is_not_the_locked_one_is_not_bundled(make: Make, tmp_path: Path) -> None:
    with (tmp_path / "index" / "tiny-1.0-py3-none-any.whl").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(BundleNotMade, match=r"wheels for Python 3\.11 cannot be downloaded"):
        make("out")
    assert not list(tmp_path.glob("out*"))


def test_missing_server_says_what_gets_it(make: Make, project: Path) -> None:
    (project / ".cache/bin/livekit-server").unlink()
    with pytest.raises(BundleNotMade, match="make livekit"):
        make("out")


def test_links_in_git_are_refused(make: Make, project: Path) -> None:
    (project / "link").symlink_to("LICENSE")
    for command in ("add link", "-c user.name=t -c user.email=t@t commit -q -m link"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    with pytest.raises(BundleNotMade, match="link is a link"):
        make("out")


def test_nothing_is_overwritten(make: Make, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(BundleNotMade, match="exists"):
        make("out")
