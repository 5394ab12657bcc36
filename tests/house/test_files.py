"""What every committed file keeps to."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
MAX_LINES = 250
MAX_FUNCTION_LINES = 40
HOUSE = ("models", "serving", "agent", "scripts")

# Registries are chosen by whoever installs; in pieces here, so that this file names none either.
REGISTRIES = re.compile(
    "|".join((r"pypi\.or" "g", r"pythonhoste" "d", r"npmjs\.or" "g", r"proxy\.golan" "g", r"deb\.debia" "n"))
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}/-])/(?:work|root|opt|home|tmp|Users)/\w")


def _text(path: Path) -> str:
    """Empty for what is not text."""
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="ignore")


def _hits(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(_text(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry(committed_files: list[Path]) -> None:
    assert _hits(committed_files, REGISTRIES) == []


def test_no_file_names_a_path_of_somebodys_machine(committed_files: list[Path]) -> None:
    assert _hits(committed_files, MACHINE_PATHS) == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert REGISTRIES.search("index-url = https://pypi.or" + "g/simple")
    assert MACHINE_PATHS.search("--find-links /opt" + "/wheels")
    assert not MACHINE_PATHS.search("models/work/x and $HOME/root/x")


def _house_sources(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in HOUSE]


def test_files_stop_at_their_longest(committed_files: list[Path]) -> None:
    lengths = {path: len(_text(path).splitlines()) for path in _house_sources(committed_files)}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_functions_stop_at_their_longest(committed_files: list[Path]) -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in _house_sources(committed_files)
        for node in ast.walk(ast.parse(_text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []


def test_the_demo_models_are_bytes_and_cards(committed_files: list[Path]) -> None:
    demo = ROOT / "models" / "demo"
    assert [str(path) for path in committed_files if path.is_relative_to(demo) and path.suffix == ".py"] == []


@pytest.mark.parametrize("lock", ["cpu", "dev", "gpu", "train", "uv"])
def test_locks_hold_hashes_and_nothing_of_the_machine_that_made_them(lock: str) -> None:
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith(" ")]
    assert pins
    assert [line for line in pins if "==" not in line or line.startswith("-")] == []
    assert [line for line in lines if line.startswith(" ") and "--hash=sha256:" not in line] == []


def test_the_two_builds_of_onnxruntime_never_meet() -> None:
    both = re.compile(r"^onnxruntime(?:-gpu)?==", re.MULTILINE)
    for lock in ("cpu", "dev", "gpu", "train"):
        assert len(both.findall((ROOT / "requirements" / f"{lock}.txt").read_text())) == 1, lock
