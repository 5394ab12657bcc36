"""The web process: hands out tokens for calls and serves the playground. It knows nothing of conversations."""

import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from agent.errors import ConfigError
from agent.web.addresses import SIGNAL_PATH, livekit_url_for, security_headers
from agent.web.options import WebOptions
from agent.web.rate_limit import RateLimit
from agent.web.signal_proxy import proxy_signal
from agent.web.tokens import mint_call_token
from agent.web.worker_status import WorkerStatus, ask_worker

__all__ = ["WebOptions", "create_app", "run_web"]

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
MAX_BODY_BYTES = 1024

OPTIONS = web.AppKey("options", WebOptions)
HTTP = web.AppKey("http", aiohttp.ClientSession)
RATE_LIMIT = web.AppKey("rate_limit", RateLimit)

SENTENCES = {
    403: "This request is not allowed.",
    404: "This page does not exist.",
    405: "This address does not accept that kind of request.",
    413: "The request is too large.",
}

routes = web.RouteTableDef()


def create_app(options: WebOptions) -> web.Application:
    """The application; opens nothing until it is started."""
    app = web.Application(middlewares=[errors_as_sentences], client_max_size=MAX_BODY_BYTES)
    app[OPTIONS] = options
    app[RATE_LIMIT] = RateLimit(per_second=options.calls_per_second, burst=options.calls_burst)
    app.cleanup_ctx.append(_http_session)
    app.on_response_prepare.append(_add_headers)
    app.add_routes(routes)
    if options.tls:
        app.router.add_get(f"{SIGNAL_PATH}/{{path:rtc.*}}", _signal)
    app.router.add_static("/static", STATIC)
    return app


def run_web(options: WebOptions) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises ConfigError if the port is taken or the certificate cannot be used.
    """
    context = _tls_context(options)
    try:
        web.run_app(
            create_app(options), host=options.host, port=options.port, ssl_context=context, access_log=None, print=None
        )
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {options.host}:{options.port} ({error.strerror or error}). "
            "Stop whatever uses the port, or choose another with network.web_port in configs/site.yaml."
        ) from error


@routes.get("/")
async def playground(_request: web.Request) -> web.FileResponse:
    """The page."""
    return web.FileResponse(STATIC / "index.html")


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    """This process is alive; says nothing about the worker."""
    return web.json_response({"status": "ok"})


@routes.get("/api/status")
async def status(request: web.Request) -> web.Response:
    """Whether a call can be taken, and what the page shows before one."""
    options = request.app[OPTIONS]
    worker = await _worker(request.app)
    profile = worker.profile or options.profile
    return web.json_response(
        {
            "ready": worker.ready,
            "busy": worker.busy,
            "message": worker.refusal,
            "profile": profile,
            "lines": worker.lines,
            "lines_busy": worker.lines_busy,
            "examples": list(options.examples) if profile == "demo" else [],
        }
    )


@routes.post("/api/calls")
async def start_call(request: web.Request) -> web.Response:
    """A token for a new call: `{url, token, room}`.

    The body must be an empty JSON object; requiring the JSON type keeps pages of other origins from starting calls.
    """
    await _require_empty_json(request)
    if not request.app[RATE_LIMIT].allow(request.remote or "", now_s=time.monotonic()):
        raise web.HTTPTooManyRequests(text="Too many calls from this address. Please wait a few seconds.")
    worker = await _worker(request.app)
    if worker.refusal is not None:
        raise web.HTTPServiceUnavailable(text=worker.refusal)
    options = request.app[OPTIONS]
    call = mint_call_token(options)
    logger.info("call token issued", extra={"room": call.room})
    return web.json_response({"url": livekit_url_for(request, options), "token": call.jwt, "room": call.room})


async def _require_empty_json(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send the request as application/json.")
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise web.HTTPBadRequest(text="The request is not valid JSON.") from error
    if body != {}:
        raise web.HTTPBadRequest(text="The request takes no options. Send {}.")


async def _signal(request: web.Request) -> web.StreamResponse:
    return await proxy_signal(
        request, http=request.app[HTTP], livekit_url=request.app[OPTIONS].livekit_url, path=request.match_info["path"]
    )


async def _worker(app: web.Application) -> WorkerStatus:
    worker_url = app[OPTIONS].worker_url
    return WorkerStatus() if worker_url is None else await ask_worker(app[HTTP], worker_url)


async def _http_session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app[HTTP] = session
        yield


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    options = request.app[OPTIONS]
    try:
        livekit_url = livekit_url_for(request, options)
    except web.HTTPBadRequest:
        livekit_url = options.livekit_url
    response.headers.update(security_headers(livekit_url))
    revalidate = request.path.startswith("/static/")
    response.headers["Cache-Control"] = "no-cache" if revalidate else "no-store"


@web.middleware
async def errors_as_sentences(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every error is `{"error": "a sentence"}` with its status."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        sentence = SENTENCES.get(error.status, error.text)
        return web.json_response({"error": sentence}, status=error.status, headers=headers)
    except Exception:
        logger.exception("request failed")
        return web.json_response({"error": "Something went wrong on this box; see its log."}, status=500)


def _tls_context(options: WebOptions) -> ssl.SSLContext | None:
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise ConfigError(
            "HTTPS needs both network.tls_cert and network.tls_key. Set both or neither in configs/site.yaml."
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:
        raise ConfigError(
            f"Cannot use the certificate {options.tls_cert} with the key {options.tls_key} ({error}). "
            "Check network.tls_cert and network.tls_key in configs/site.yaml."
        ) from error
    return context
