"""How commands report errors and end."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from models.errors import CallboxError
from scripts.command_line import exit_on_error, new_app
from scripts.paths import ROOT

pytestmark = pytest.mark.unit


def test_an_error_is_one_line_and_an_exit_status() -> None:
    app = new_app()

    @app.command()
    def fail(status: int = 2) -> None:
        with exit_on_error(status):
            raise CallboxError("no box at [127.0.0.1]: start it")

    outcome = CliRunner().invoke(app, [])
    assert (outcome.exit_code, outcome.output) == (2, "! no box at [127.0.0.1]: start it\n")
    assert CliRunner().invoke(app, ["--status", "1"]).exit_code == 1


def test_errors_of_other_kinds_are_not_hidden() -> None:
    with pytest.raises(ValueError, match="a defect"), exit_on_error():
        raise ValueError("a defect")


@pytest.mark.parametrize("status", [0, 3])
def test_a_process_ends_with_the_command_s_status(status: int) -> None:
    program = f"""
import typer
from scripts.command_line import new_app, run_and_exit
app = new_app()
@app.command()
def main() -> None:
    print("done")
    raise typer.Exit({status})
run_and_exit(app)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (status, "done\n")


def test_an_exit_within_the_context_keeps_its_status() -> None:
    with pytest.raises(typer.Exit) as leaving, exit_on_error():
        raise typer.Exit(1)
    assert leaving.value.exit_code == 1
