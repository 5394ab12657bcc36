"""pip, wherever this environment has one: what takes wheels out of an index without installing them."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from models.errors import ModelMissing


def pip_command() -> list[str]:
    """pip of this environment, or one that uv runs for it. Raises ModelMissing if it has neither."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])):
        return [uv, "tool", "run", "--quiet", "--python", sys.executable, "pip"]
    raise ModelMissing("Neither pip nor uv is in this environment. Install one of them: `python -m ensurepip`.")
