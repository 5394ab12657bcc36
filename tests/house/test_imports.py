"""The house's rules that import-linter cannot see."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PACKAGES = ("models", "serving", "agent")
INFERENCE_LIBRARIES = ("ctranslate2", "faster_whisper", "vllm", "piper", "onnxruntime", "onnx", "torch")
BRIDGE = ROOT / "serving" / "bridge.py"
MAKES_THREADS = {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "to_thread", "run_in_executor"}

IMPORT_ALL = """
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {libraries!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
for name in {modules!r}:
    importlib.import_module(name)
"""


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_every_module_can_be_imported_with_no_inference_library_installed() -> None:
    modules = [_module(path) for path in _sources()]
    assert "serving.stt.faster_whisper" in modules
    program = IMPORT_ALL.format(libraries=INFERENCE_LIBRARIES, modules=modules)
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_threads_are_made_in_the_bridge_only() -> None:
    made = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources()
        if path != BRIDGE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _called_name(node) in MAKES_THREADS
    ]
    assert made == []


def _called_name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
