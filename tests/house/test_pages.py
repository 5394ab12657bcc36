"""The pages for people name only what exists: links, paths, commands, benches, settings, metrics, messages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.operate.doctor.hardware import NEEDS
from agent.settings import load_settings
from scripts.bench.catalogue import ALL, BENCHES
from serving.metrics import REGISTRY
from tests.house.test_files import REGISTRIES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = (README, ROOT / "CONTRIBUTING.md", CHANGELOG, *sorted((ROOT / "docs").glob("*.md")))
CURRENT = [page for page in PAGES if page != CHANGELOG]
"""Those that speak of the present; a changelog also names what is gone."""
CARDS = sorted((ROOT / "models" / "demo").rglob("README.md"))
MAX_README_LINES = 160

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"(?<![\w./@-])(?:\.?[\w*-][\w.*-]*/)+[\w.*-]*|(?<![\w./-])[\w-]+\.(?:md|toml|yaml|py|sh|cuda)\b")
TARGET = re.compile(r"(?:^|&& |sudo )make ([a-z][a-z-]*)", re.MULTILINE)
MODULE = re.compile(r"\bpython3? -m ([a-z_][\w.]*)")
COMMAND = re.compile(r"(?:\bpython3? -m ([a-z_][\w.]*)|\b(scripts/\w+\.sh))(.*)")
OPTION = re.compile(r"(?<= )--([a-z][a-z-]*)")
BENCH = re.compile(r"\b(?:BENCH=|scripts\.bench\.)(\w+)")
METRIC = re.compile(r"(?<![\w./])callbox_[a-z_]+\b(?![./])")
SETTINGS = re.compile(r"(?:engines|turns|network|capacity|conversation): *\{.*\}")
HOUSE = ("agent", "configs", "docs", "models", "requirements", "scripts", "serving", "tests", ".ci")
MERMAID_WORDS = re.compile(r"(?:^|>|--) *(call|click|class|default|end|graph|style)\b *(?:\[|-|=)", re.MULTILINE)
"""As a box's name each of them breaks a picture."""
MADE_LATER = {"configs/site.yaml", "models/lock.yaml", "models/store"}
"""What an installation makes."""


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _code(page: Path) -> Iterator[str]:
    """Its blocks and spans of code; pictures aside."""
    text = _text(page)
    yield from (body for language, body in BLOCK.findall(text) if language != "mermaid")
    yield from SPAN.findall(BLOCK.sub("", text))


def _found(pattern: re.Pattern[str]) -> set[Any]:
    """What the pattern finds in the code of current pages and models' cards: texts, or tuples of its groups."""
    return {found for page in (*CURRENT, *CARDS) for code in _code(page) for found in pattern.findall(code)}


def _slug(heading: str) -> str:
    """The anchor that git hosts give a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def test_the_readme_is_short() -> None:
    assert len(_text(README).splitlines()) <= MAX_README_LINES


def test_the_readme_leads_to_every_page() -> None:
    links = set(LINK.findall(_text(README)))
    assert {str(page.relative_to(ROOT)) for page in PAGES if page != README} <= links


@pytest.mark.parametrize("page", [*PAGES, *CARDS], ids=_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(BLOCK.sub("", _text(page))):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if link.startswith("https://"):
            continue
        if not target.exists() or (anchor and anchor not in map(_slug, HEADING.findall(_text(target)))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", [*CURRENT, *CARDS], ids=_name)
def test_every_path_named_exists(page: Path) -> None:
    named = {path.rstrip("/.") for code in _code(page) for path in PATH.findall(code)}
    ours = {path for path in named if path.split("/")[0] in HOUSE}
    assert [path for path in sorted(ours - MADE_LATER) if not any(ROOT.glob(path))] == []


def test_the_path_pattern_finds_what_it_is_for() -> None:
    assert PATH.findall("sudo scripts/x.sh /srv/callbox; `tests/call` models/demo/*/README.md pyproject.toml") == [
        "scripts/x.sh",
        "tests/call",
        "models/demo/*/README.md",
        "pyproject.toml",
    ]


def test_every_make_target_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", _text(ROOT / "Makefile"), re.MULTILINE))
    named = _found(TARGET)
    assert {"run", "doctor"} <= named
    assert named - targets == set()


def test_every_module_named_can_be_run() -> None:
    named = _found(MODULE)
    assert "scripts.bench.turns" in named
    lost = []
    for name in named:
        path = ROOT.joinpath(*name.split("."))
        if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file():
            lost.append(name)
    assert lost == []


def test_every_option_named_is_in_the_commands_code() -> None:
    lost, commands = [], _found(COMMAND)
    assert {"agent", "scripts.bench.gpu"} <= {module for module, _, _ in commands}
    for module, script, arguments in commands:
        code = "\n".join(map(_text, _sources(module) if module else [ROOT / script]))
        arguments = arguments.partition("#")[0]
        lost += [
            f"{module or script} --{option}"
            for option in OPTION.findall(arguments)
            if f"--{option}" not in code and f"{option.replace('-', '_')}:" not in code
        ]
    assert lost == []


def _sources(module: str) -> list[Path]:
    path = ROOT.joinpath(*module.split("."))
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def test_benches_named_are_those_there_are() -> None:
    benches = {bench.name for bench in BENCHES}
    table = {cells[3].strip(" `") for line in _text(README).splitlines() if len(cells := line.split("|")) == 6}
    named = _found(BENCH) | (table - {"bench", "---"})
    assert named - benches - {ALL, "NAME"} == set()
    assert benches - named == set()


def test_every_figure_of_the_readme_has_its_bench() -> None:
    rows = [line for line in _text(README).splitlines() if re.search(r"\|[^|]*\d (?:ms|%)[^|]*\|", line)]
    assert len(rows) > 10
    assert [row for row in rows if row.split("|")[3].strip(" `") not in {bench.name for bench in BENCHES}] == []


@pytest.mark.parametrize("page", CURRENT, ids=_name)
def test_settings_shown_are_settings(page: Path, tmp_path: Path) -> None:
    text = _text(page)
    shown = [body for language, body in BLOCK.findall(text) if language == "yaml"]
    shown += [span for span in SPAN.findall(text) if SETTINGS.fullmatch(span)]
    for number, content in enumerate(shown):
        site = tmp_path / f"{number}.yaml"
        site.write_text(content)
        assert load_settings("gpu", site=site).profile == "gpu", "unknown keys and values are refused"


def test_every_metric_named_is_one() -> None:
    known, named = {family.name for family in REGISTRY.collect()}, _found(METRIC)
    assert "callbox_turn_ends" in named
    assert named - known == set()


def test_messages_quoted_in_trouble_are_said() -> None:
    said = "\n".join(_messages())
    rows = re.findall(r"^\| `([^`]+)` \|", _text(ROOT / "docs" / "trouble.md"), re.MULTILINE)
    assert len(rows) > 10
    pieces = [piece.strip() for row in rows for piece in row.split("…")]
    assert [piece for piece in pieces if piece not in said] == []


def _messages() -> Iterator[str]:
    """Every text in the product's code, with what is filled in left out."""
    for folder in ("agent", "models", "serving", "scripts"):
        for path in (ROOT / folder).rglob("*.sh"):
            yield _text(path)
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(_text(path))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_the_hardware_of_a_profile_is_the_doctors() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` (\|.*)$", _text(README), re.MULTILINE))
    for profile in ("demo", "cpu"):
        needs = NEEDS[profile]
        assert f"| {needs.cores} CPU cores, {needs.memory_bytes / 2**30:.0f} GB" in rows[profile]
    gpu = NEEDS["gpu"]
    assert f"{gpu.memory_bytes / 2**30:.0f} GB of memory, {gpu.cores} CPU cores" in _text(ROOT / "docs" / "gpu-box.md")


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_page_names_a_package_registry(page: Path) -> None:
    assert REGISTRIES.findall(_text(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_blocks_are_of_their_language(page: Path) -> None:
    for language, body in BLOCK.findall(_text(page)):
        match language:
            case "yaml":
                assert isinstance(yaml.safe_load(body), dict)
            case "python":
                ast.parse(body)
            case "mermaid":
                assert MERMAID_WORDS.findall(body) == []


def test_a_box_with_a_word_of_mermaid_is_found() -> None:
    assert MERMAID_WORDS.findall('    a --> call --> b\n    end["x"]\n    end\n    one_call --> c') == ["call", "end"]
