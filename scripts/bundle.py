"""Bring Callbox to a machine without a network: one signed folder or tar with everything in it.

On a connected machine: `keygen` once, then `create`. On the other one: `verify`, `install`, with nothing but Python's
standard library (a bundle carries this command as callbox-bundle.pyz).
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from models.bundle.progress import megabytes, say
from models.errors import CallboxError

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ("demo", "cpu", "gpu")
PYTHONS = ("3.11", "3.12")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status: 0, or 1 after printing what is wrong."""
    options = _parser().parse_args(arguments)
    run = {"keygen": _keygen, "create": _create, "verify": _verify, "install": _install}[options.command]
    try:
        run(options)
    except CallboxError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error.filename or 'a file'}: {error.strerror or error}. Nothing is lost: fix it and repeat the command.")
        return 1
    except KeyboardInterrupt:
        say("Stopped. The same command continues from here.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bundle", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    keygen = commands.add_parser(
        "keygen", help="make the operator's key pair: NAME.pem (keep it) and NAME.pub (pass it on)"
    )
    keygen.add_argument("name", type=Path)
    create = commands.add_parser("create", help="make a bundle of the latest commit, its packages and models")
    create.add_argument("--profile", choices=PROFILES, required=True)
    create.add_argument(
        "--python", choices=PYTHONS, action="append", help="of the target; may be repeated (default: this one)"
    )
    create.add_argument("--out", type=Path, required=True, help="folder to make, or a file NAME.tar")
    create.add_argument("--key", type=Path, required=True, help="the private key")
    for name, says in (("verify", "check the signature and every byte"), ("install", "verify, then install or update")):
        command = commands.add_parser(name, help=says)
        command.add_argument("bundle", type=Path, help="the folder or the .tar")
        command.add_argument("--key", type=Path, required=True, help="the operator's public key, from the operator")
        if name == "install":
            command.add_argument("--into", type=Path, required=True, help="the folder of the installation")
    return parser


def _keygen(options: argparse.Namespace) -> None:
    _require_project()
    from models.bundle.keys import make_key_pair
    from models.bundle.signature import fingerprint, read_public_key

    private = options.name.with_suffix(".pem")
    public = make_key_pair(private)
    say(f"{private} (mode 0600) signs bundles: keep it here, and a copy in a safe.")
    say(
        f"{public} verifies them: send it to the sites by another route than the bundles. Its fingerprint, to read aloud:"
    )
    print(fingerprint(read_public_key(public)))


def _create(options: argparse.Namespace) -> None:
    _require_project()
    from models.bundle.create import Order, create
    from scripts.bundle_report import reporting

    pythons = tuple(sorted(set(options.python or [".".join(platform.python_version_tuple()[:2])])))
    order = Order(root=ROOT, profile=options.profile, pythons=pythons, out=options.out.absolute(), key=options.key)
    with reporting() as report:
        manifest = create(order, report)
    say(f"{order.out}: {len(manifest.files)} files, {megabytes(manifest.size)}; profile {manifest.profile},")
    say(f"Python {' and '.join(pythons)}, glibc {manifest.glibc} or later. Signed by {manifest.signed_by}.")


def _verify(options: argparse.Namespace) -> None:
    from models.bundle.verify import summary, verify

    print("\n".join(summary(verify(options.bundle, options.key))))


def _install(options: argparse.Namespace) -> None:
    from models.bundle.install import install

    outcome = install(options.bundle, options.key, options.into)
    print(
        f"Installed into {options.into}: {outcome.copied} files copied, {outcome.kept} already right or kept, {outcome.removed} removed."
    )
    for note in outcome.notes:
        print(f"  {note}")
    print(f"Start it: cd {options.into} && make run PROFILE={outcome.profile}")


def _require_project() -> None:
    if not (ROOT / "pyproject.toml").is_file():
        raise CallboxError("Bundles are made in a checkout of Callbox: `.venv/bin/python -m scripts.bundle create`.")


if __name__ == "__main__":
    sys.exit(main())
