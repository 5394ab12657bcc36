"""`python -m agent run` starts everything; `keys`, `livekit`, `worker`, `web` and `ready` are its parts on their own."""

import os

from agent.operate.offline import force_offline
from agent.operate.supervisor.orphans import end_with_spawner

force_offline(os.environ)
end_with_spawner(__name__)

import asyncio  # noqa: E402 - libraries read the environment when they are imported
import logging  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from models.errors import CallboxError  # noqa: E402

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Profile = Annotated[str, typer.Option(help="gpu, cpu or demo; empty: the best that this machine can run.")]


@app.command()
def run(
    profile: Profile = "",
    address: Annotated[
        str, typer.Option(help="This machine's address on the local network; empty: loopback only.")
    ] = "",
) -> None:
    """Start livekit-server, the worker and the web server, and keep them running."""
    from agent.operate.supervisor.callbox import run_callbox

    raise typer.Exit(run_callbox(profile=profile, address=address))


@app.command()
def worker(profile: Profile = "") -> None:
    """Load the engines and take calls."""
    from agent.operate.profiles import settings_for
    from agent.operate.worker import Worker
    from agent.settings import load_keys

    settings = settings_for(profile)
    asyncio.run(Worker(settings, load_keys()).run())


@app.command()
def web(profile: Profile = "") -> None:
    """Serve the playground and issue tokens."""
    from agent.operate.profiles import settings_for
    from agent.settings import load_keys
    from agent.web.options import WebOptions
    from agent.web.server import run_web

    settings, keys = settings_for(profile), load_keys()
    network = settings.network
    run_web(
        WebOptions(
            api_key=keys.api_key,
            api_secret=keys.api_secret,
            host="127.0.0.1" if network.is_loopback else "0.0.0.0",
            port=network.web_port,
            livekit_url=keys.livekit_url,
            agent_name=settings.agent_name,
            worker_url=f"http://127.0.0.1:{network.ops_port}",
            profile=settings.profile,
            tls_cert=network.tls_cert,
            tls_key=network.tls_key,
        )
    )


@app.command()
def livekit(profile: Profile = "demo") -> None:
    """Replace this process with livekit-server, configured as `run` does it. The profile matters only if it sets ports."""
    from agent.operate.supervisor.livekit_server import become_livekit_server
    from agent.settings import load_keys, load_settings

    become_livekit_server(load_settings(profile).network, load_keys())


@app.command()
def keys(
    file: Annotated[Path | None, typer.Argument(help="File to write them to; default: .env next to the code.")] = None,
) -> None:
    """Create this installation's LiveKit key and secret (mode 0600), unless they exist."""
    from agent.operate.keys import ensure_keys
    from agent.operate.supervisor.callbox import ENV_FILE, livekit_url
    from agent.settings import load_settings

    file = file or ENV_FILE
    created = ensure_keys(file, livekit_url=livekit_url(load_settings("demo").network))
    typer.echo(f"{file}: {'keys created' if created else 'keys already exist'}.")


@app.command()
def ready(
    process: Annotated[str, typer.Argument(help="livekit, worker or web; empty: the one in this container.")] = "",
    wait_s: Annotated[float, typer.Option(help="Longest time to wait; 0: check once.")] = 0.0,
    pid: Annotated[int | None, typer.Option(help="Stop waiting when this process ends.")] = None,
) -> None:
    """Check whether a process is ready. Exit status 0 if it is, else 1."""
    from agent.operate.supervisor.readiness import process_of_container, wait_until_ready
    from agent.settings import load_settings

    name, network = process or process_of_container(), load_settings("demo").network
    if not asyncio.run(wait_until_ready(name, network, wait_s=wait_s, pid=pid)):
        typer.echo(f"{name} is not ready.", err=True)
        raise typer.Exit(1)


@app.command()
def doctor(
    profile: Profile = "",
    address: Annotated[str, typer.Option(help="The address to check; empty: the one in the settings.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table.")] = False,
) -> None:
    """Check what this machine can run, and how to fix what fails. Exit status 0 if nothing failed, else 1."""
    from agent.operate.doctor.console import run_doctor

    raise typer.Exit(run_doctor(profile=profile, address=address, as_json=as_json))


def main() -> None:
    """Run a command. Callbox's own errors print as a sentence, without a traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    try:
        app()
    except CallboxError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
