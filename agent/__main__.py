"""`python -m agent run | worker | web`."""

import os

from agent.offline import keep_inside

keep_inside(os.environ)

import asyncio  # noqa: E402 - libraries read the environment when they are imported
import logging  # noqa: E402
from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from models.errors import CallboxError  # noqa: E402

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Profile = Annotated[str, typer.Option(help="gpu, cpu or demo; empty: the best one this machine can run.")]


@app.command()
def run(
    profile: Profile = "",
    address: Annotated[
        str, typer.Option(help="This machine's address in the local network; empty: loopback only.")
    ] = "",
) -> None:
    """Start livekit-server, the worker and the web server, and keep them running."""
    from agent.supervisor.callbox import run_callbox

    raise typer.Exit(run_callbox(profile=profile, address=address))


@app.command()
def worker(profile: Profile = "") -> None:
    """Load the engines and take calls."""
    from agent.profiles import settings_for
    from agent.settings import load_keys
    from agent.worker import Worker

    settings = settings_for(profile)
    asyncio.run(Worker(settings, load_keys()).run())


@app.command()
def web(profile: Profile = "") -> None:
    """Serve the playground and hand out tokens."""
    from agent.profiles import settings_for
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
def doctor(
    profile: Profile = "",
    address: Annotated[str, typer.Option(help="As `run` would be told; empty: the settings'.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table.")] = False,
) -> None:
    """Say what this machine can run, and what stands in its way. Status 0 if nothing failed, else 1."""
    from agent.doctor.doctor import run_doctor

    raise typer.Exit(run_doctor(profile=profile, address=address, as_json=as_json))


def main() -> None:
    """Run a command; an error of ours is shown as its sentence, without a traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    try:
        app()
    except CallboxError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
