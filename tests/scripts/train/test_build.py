"""The driver: what it asks for, what it does again, and how a result takes the place of a shipped model."""

import subprocess
from pathlib import Path

import pytest

from models.errors import ManifestInvalid, ModelMissing
from models.store import ModelStore, open_store
from scripts.paths import ROOT
from scripts.train import build
from scripts.train.install import install, repinned
from scripts.train.plan import Plan, Recipe, Step
from scripts.train.recipes import RECIPES
from tests.models.conftest import describe, write_manifest

pytestmark = pytest.mark.unit

RECIPE = Recipe("some model", (), lambda plan: [], {"some-model": "made"})
MANIFEST_LINES = """\
# A comment that stays.
models:
  some-model:
    stage: stt
    title: A model
    licence: MIT
    profiles: [demo]
    source: {kind: shipped, folder: demo/some_model}
    files:
"""


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("quick", [True, False])
def test_every_step_runs_a_module_of_the_repository_and_writes_below_its_folder(name: str, quick: bool) -> None:
    plan = Plan(Path("/out/x"), Path("/turn.onnx"), None, 1, quick)
    steps = RECIPES[name].steps(plan)
    for step in steps:
        module = ROOT.joinpath(*step.module.split(".")).with_suffix(".py")
        assert module.is_file(), module
        assert any("/out/x" in argument for argument in step.arguments)
    assert steps[-1].title == "evaluation"


def test_recipes_make_exactly_the_shipped_models() -> None:
    store = open_store()
    shipped = {name for name, model in store.manifest.models.items() if model.source.kind == "shipped"}
    assert {name for recipe in RECIPES.values() for name in recipe.products} == shipped


def test_minutes_are_the_shipped_models_unless_said() -> None:
    def training(chosen: float | None, *, quick: bool = False) -> tuple[str, ...]:
        return Plan(Path("x"), Path("y"), chosen, 3, quick).training(95)

    assert training(None) == ("--minutes", "95", "--threads", "3")
    assert training(None, quick=True)[:2] == ("--minutes", "1")
    assert training(2.5)[:2] == ("--minutes", "2.5")


def test_absent_debian_packages_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "DEBIAN", dict.fromkeys(build.DEBIAN, tmp_path / "absent"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelMissing, match=r"apt-get install flite flite1-dev espeak-ng wamerican gcc$"):
        build.check_machine([RECIPES["tts"]])


def test_absent_training_packages_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PYTHON", ("json", "no_such_module"))
    with pytest.raises(ModelMissing, match=r"no_such_module\. `make demo-models`"):
        build.check_machine([RECIPES["llm"]])


def test_useless_models_cannot_be_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build.main(["--quick", "--install"])
    assert "cannot be installed" in capsys.readouterr().err


def steps(folder: Path, *tags: str) -> list[Step]:
    """Steps that run Python's own `compileall` on a folder each: harmless, and visible in what it leaves."""
    for tag in tags:
        (folder / tag).mkdir(exist_ok=True)
    return [Step(tag, "compileall", ("-q", str(folder / tag))) for tag in tags]


def test_done_steps_are_not_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build.run(steps(tmp_path, "a", "b"), tmp_path)
    assert "already done" not in capsys.readouterr().out
    build.run(steps(tmp_path, "a", "b"), tmp_path)
    assert capsys.readouterr().out.count("already done") == 2


def test_a_changed_step_is_done_again_with_all_after_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build.run(steps(tmp_path, "a", "b", "c"), tmp_path)
    capsys.readouterr()
    build.run(steps(tmp_path, "a", "x", "c"), tmp_path)
    assert capsys.readouterr().out.splitlines() == ["--> 1/3 a: already done", "--> 2/3 x", "--> 3/3 c"]


def test_a_failed_step_stops_and_is_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [Step("broken", "no_such_module", ())]
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            build.run(broken, tmp_path)
        assert "already done" not in capsys.readouterr().out


@pytest.fixture
def flow_store(store: ModelStore) -> ModelStore:
    """The same store with its manifest written as the repository's is, with a second model after it."""
    files = store.manifest.find("some-model").files
    lines = "".join(f"      - {{path: {f.path}, size: {f.size}, sha256: {f.sha256}}}\n" for f in files)
    other = MANIFEST_LINES.split("models:\n")[1].replace("some-model", "other-model") + lines
    (store.root / "manifest.yaml").write_text(MANIFEST_LINES + lines + "\n" + other, encoding="utf-8")
    return open_store(store.root)


def test_install_copies_what_was_made_and_pins_it(flow_store: ModelStore, tmp_path: Path) -> None:
    made = tmp_path / "built" / "made"
    made.mkdir(parents=True)
    (made / "model.bin").write_bytes(b"better weights")
    (made / "leftover.txt").write_bytes(b"not of the model")
    install(flow_store, RECIPE, made.parent)
    fresh = open_store(flow_store.root)
    folder = fresh.resolve("some-model")
    assert (folder / "model.bin").read_bytes() == b"better weights"
    assert not (folder / "leftover.txt").exists()
    text = (flow_store.root / "manifest.yaml").read_text(encoding="utf-8")
    assert text.startswith("# A comment that stays.")
    assert fresh.manifest.find("other-model") == flow_store.manifest.find("other-model")


def test_install_without_a_build_changes_nothing(flow_store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="Build it first"):
        install(flow_store, RECIPE, tmp_path / "built")
    assert flow_store.resolve("some-model")


def test_manifest_written_otherwise_is_not_rewritten(root: Path) -> None:
    path = write_manifest(root, some_model=describe())
    store = open_store(root)
    with pytest.raises(ManifestInvalid, match="not written as expected"):
        repinned(
            path.read_text(encoding="utf-8"),
            "some-model",
            store.manifest.find("some-model").files,
            store.folder("some-model"),
        )


def test_repositorys_manifest_can_be_repinned() -> None:
    store = open_store()
    text = (store.root / "manifest.yaml").read_text(encoding="utf-8")
    for recipe in RECIPES.values():
        for name in recipe.products:
            assert repinned(text, name, store.manifest.find(name).files, store.folder(name)) == text
