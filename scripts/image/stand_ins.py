"""Base images, and stand-ins for those that cannot be pulled."""

import shutil

from scripts.image.engine import Engine, EngineError, log, output, succeeds

DEBIAN = "bookworm"


def require_image(engine: Engine, name: str) -> str:
    """Make sure there is an image `name`: the engine's, its registry's, or a stand-in made here. Returns which. Raises EngineError."""
    if succeeds(engine.docker, "image", "inspect", name):
        return "present"
    if succeeds(engine.docker, "pull", "--quiet", name):
        return "pulled"
    log(f"{name} cannot be pulled: making a stand-in")
    if name.startswith("golang:"):
        _make_golang(engine, name)
        return "stand-in: this machine's Go on Debian"
    _make_debian(engine, name)
    return "stand-in: debootstrap"


def _make_debian(engine: Engine, name: str) -> None:
    """The same release, made by debootstrap from its default mirror."""
    if shutil.which("debootstrap") is None:
        raise EngineError("debootstrap is missing: apt-get install debootstrap.")
    root = engine.folder / DEBIAN
    shutil.rmtree(root, ignore_errors=True)
    output(["debootstrap", "--variant=minbase", DEBIAN, str(root)])
    archive = engine.folder / f"{DEBIAN}.tar"
    output(["tar", "--create", f"--file={archive}", f"--directory={root}", "."])
    engine.output("import", str(archive), name)
    archive.unlink()
    shutil.rmtree(root)


def _make_golang(engine: Engine, name: str) -> None:
    """This machine's Go, in the official image's place."""
    require_image(engine, f"debian:{DEBIAN}-slim")
    recipe = engine.folder / "golang.Dockerfile"
    recipe.write_text(
        f"FROM debian:{DEBIAN}-slim\n"
        "RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates git\n"
        "COPY . /usr/local/go\n"
        "ENV GOPATH=/go PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin\n"
    )
    engine.output("build", "--network=host", f"--tag={name}", f"--file={recipe}", output(["go", "env", "GOROOT"]))
