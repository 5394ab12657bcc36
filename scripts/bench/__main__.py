"""Lists the benches, or runs them one after another.

python -m scripts.bench               # the list
python -m scripts.bench stt llm       # these
python -m scripts.bench all           # all that need no GPU
python -m scripts.bench.stt --help    # one bench's options
"""

import subprocess
import sys
from typing import Annotated

import typer

from scripts.bench.catalogue import select, table
from scripts.command_line import console, new_app, warn

app = new_app()


@app.command(help=__doc__)
def main(names: Annotated[list[str] | None, typer.Argument(help="Benches to run, or all.")] = None) -> None:
    """Status 1 if a bench failed."""
    if not names:
        console.print(table())
        console.print(
            "Run: make bench BENCH=v2v, make bench BENCH=all, or .venv/bin/python -m scripts.bench.v2v --help"
        )
        return
    try:
        benches = select(names)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    failed = []
    for bench in benches:
        console.print(f"==> {bench.name}", highlight=False)
        if subprocess.run([sys.executable, "-m", f"scripts.bench.{bench.name}"]).returncode:
            failed.append(bench.name)
    if failed:
        warn(f"Failed: {', '.join(failed)}")
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
