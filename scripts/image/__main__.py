"""Build the image of Dockerfile.cuda and run compose.yaml for real, without a GPU: `python -m scripts.image`.

Uses the packages of the cpu lock and the profile demo, so that it takes minutes. What it needs and does not find, it makes: a
Docker engine (as root, from Debian's docker.io), the compose plugin (with Go), and stand-ins for images that cannot be pulled
(with debootstrap). It listens on ports of its own.
"""

import typer
from rich.table import Table

from scripts.command_line import console, exit_on_error, new_app
from scripts.image.engine import open_engine
from scripts.image.exercise import Exercise, box_folder
from scripts.image.steps import STEPS, build, make_keys
from scripts.paths import ROOT

app = new_app()


@app.command()
def main() -> None:
    """Build the image and run it for real. Status 1 if a check fails, 2 if this machine cannot run them."""
    with exit_on_error(), open_engine(ROOT / ".cache" / "engine") as engine, box_folder() as site:
        exercise = Exercise(engine, site)
        for what, step in STEPS.items():
            exercise.check(what, lambda step=step: step(exercise))  # type: ignore[misc]
            if not exercise.rows[-1][1] and step in (build, make_keys):
                break
    table = Table("step", "", "found", title="Dockerfile.cuda (PACKAGES=cpu) and compose.yaml, profile demo")
    for what, good, found in exercise.rows:
        table.add_row(what, "[green]ok[/green]" if good else "[red]failed[/red]", found)
    console.print(table)
    raise typer.Exit(0 if all(good for _, good, _ in exercise.rows) else 1)


if __name__ == "__main__":
    app()
