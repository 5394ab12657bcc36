"""The small model store of tests/models, for what installs a rebuilt model."""

from tests.models.conftest import root, store

__all__ = ["root", "store"]
