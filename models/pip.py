"""Finds pip, to download wheels from an index without installing them."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from models.errors import ModelMissing


def pip_command() -> list[str]:
    """This environment's pip, or one that uv runs for it. Raises ModelMissing if there is neither."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])):
        return [uv, "tool", "run", "--quiet", "--python", sys.executable, "pip"]
    raise ModelMissing("This environment has neither pip nor uv. Install pip: `python -m ensurepip`.")
