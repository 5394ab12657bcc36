"""An operator with a key pair, and a complete bundle, for each test."""

from pathlib import Path

import pytest

from tests.models.bundle.synthetic import Operator, make_bundle, make_operator, make_tar


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """An operator with a key pair."""
    return make_operator(tmp_path / "keys")


@pytest.fixture
def bundle(tmp_path: Path, operator: Operator) -> Path:
    """A complete bundle, as a folder."""
    return make_bundle(tmp_path / "bundle", operator)


@pytest.fixture
def tar(tmp_path: Path, bundle: Path) -> Path:
    """The same bundle as a tar."""
    return make_tar(bundle, tmp_path / "bundle.tar")
