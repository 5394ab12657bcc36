"""The worker's door for the operator, on loopback: health, metrics, and the clinic's book."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent.call.resources import Box
from serving import metrics


def create_ops_app(box: Box) -> web.Application:
    """GET /livez, /readyz, /metrics and /clinic."""

    async def livez(request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(request: web.Request) -> web.Response:
        body = {
            "ready": box.is_ready,
            "profile": box.settings.profile,
            "title": box.settings.title,
            "lines": box.gate.max_calls,
            "lines_busy": box.gate.active,
            "engines": {stage: state.value for stage, state in box.host.states.items()},
        }
        return web.json_response(body, status=200 if box.is_ready else 503)

    async def show_metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def clinic(request: web.Request) -> web.Response:
        return web.json_response(await box.clinic.book.snapshot())

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


async def serve_ops(box: Box, port: int) -> web.AppRunner:
    """Serve on 127.0.0.1:`port`. Raises OSError if the port is taken."""
    runner = web.AppRunner(create_ops_app(box), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
