"""Convert a Llama in Hugging Face's layout to CTranslate2, int8: `python -m scripts.convert_llama SOURCE TARGET`."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ModelError
from scripts.command_line import new_app
from scripts.convert_llama.conversion import convert

app = new_app()


@app.command()
def main(
    source: Annotated[Path, typer.Argument(help="folder with config.json, *.safetensors and the tokenizer's files")],
    target: Annotated[Path, typer.Argument(help="folder to make")],
) -> None:
    """Convert a Llama in Hugging Face's layout to CTranslate2, int8. Status 1 with the reason on stderr if it fails."""
    try:
        convert(source, target)
    except ModelError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
