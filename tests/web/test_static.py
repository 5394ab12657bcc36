"""The committed page is the one its sources make, and asks for nothing from outside."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from agent.web.server import STATIC

pytestmark = pytest.mark.unit

PLAYGROUND = Path(__file__).parents[2] / "agent" / "web" / "playground"


def test_the_committed_page_was_built_from_the_committed_sources() -> None:
    sources = [f"src/{path.name}" for path in (PLAYGROUND / "src").iterdir()]
    names = [*sources, "index.html", "favicon.svg", "build.mjs", "package-lock.json"]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\0".encode() + (PLAYGROUND / name).read_bytes())
    built_from = (STATIC / "sources.sha256").read_text().strip()
    assert digest.hexdigest() == built_from, "run: cd agent/web/playground && npm ci && npm run build"


def test_the_page_has_no_inline_script_or_style_and_no_address_outside() -> None:
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", page) == []
    assert re.findall(r"""(?:src|href)=["'](?!/)""", page) == []
    assert re.findall(r"@import|url\((?!data:)", (STATIC / "app.css").read_text()) == []


def test_the_lock_names_no_registry_and_pins_every_package_by_hash() -> None:
    lock = json.loads((PLAYGROUND / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []


def test_the_licences_of_what_is_bundled_are_passed_on() -> None:
    text = (STATIC / "licences.txt").read_text()
    assert re.search(r"^livekit-client \d+\.\d+\.\d+ \(Apache-2\.0\)$", text, re.MULTILINE)
    assert "Apache License" in text
