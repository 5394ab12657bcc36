"""The list of benches: every bench is in it, can be run, and is selected by name."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.bench import catalogue
from scripts.bench.__main__ import app
from scripts.bench.catalogue import BENCHES, select

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", [bench.name for bench in BENCHES])
def test_every_bench_is_a_command(name: str) -> None:
    found = find_spec(f"scripts.bench.{name}")
    assert found is not None
    assert not found.submodule_search_locations or find_spec(f"scripts.bench.{name}.__main__") is not None


def test_every_command_of_the_folder_is_in_the_list() -> None:
    folder = Path(catalogue.__file__).parent
    packages = {path.parent.name for path in folder.glob("*/__main__.py")}
    modules = {path.stem for path in folder.glob("[!_]*.py") if '__name__ == "__main__"' in path.read_text()}
    assert packages | modules == {bench.name for bench in BENCHES}


def test_benches_run_in_the_order_of_the_list() -> None:
    assert [bench.name for bench in select(["tts", "v2v"])] == ["v2v", "tts"]


def test_all_leaves_out_what_needs_a_gpu() -> None:
    assert {bench.name for bench in BENCHES} - {bench.name for bench in select(["all"])} == {"gpu"}


def test_without_a_name_the_benches_are_listed() -> None:
    outcome = CliRunner().invoke(app, [])
    assert outcome.exit_code == 0
    assert all(bench.name in outcome.output for bench in BENCHES)


def test_an_unknown_bench_is_refused() -> None:
    outcome = CliRunner().invoke(app, ["video"])
    assert outcome.exit_code == 2
    assert "video" in outcome.output
