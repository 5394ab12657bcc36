"""The worker's HTTP endpoint for the operator, on loopback: health, metrics, and the clinic's book."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent.call.resources import CallResources
from serving import metrics


def create_ops_app(resources: CallResources) -> web.Application:
    """GET /livez, /readyz, /metrics and /clinic."""

    async def livez(request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(request: web.Request) -> web.Response:
        body = {
            "ready": resources.is_ready,
            "profile": resources.settings.profile,
            "title": resources.settings.title,
            "lines": resources.gate.max_calls,
            "lines_busy": resources.gate.active,
            "engines": {stage: state.value for stage, state in resources.host.states.items()},
        }
        return web.json_response(body, status=200 if resources.is_ready else 503)

    async def show_metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def clinic(request: web.Request) -> web.Response:
        return web.json_response(await resources.clinic.book.snapshot())

    app = web.Application()
    app.add_routes(
        [
            web.get("/livez", livez),
            web.get("/readyz", readyz),
            web.get("/metrics", show_metrics),
            web.get("/clinic", clinic),
        ]
    )
    return app


async def serve_ops(resources: CallResources, port: int) -> web.AppRunner:
    """Serve on 127.0.0.1:`port`. Raises OSError if the port is taken."""
    runner = web.AppRunner(create_ops_app(resources), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
