"""The address at which a browser reaches livekit-server, and the headers that let the page reach nothing else."""

import re

from aiohttp import web
from yarl import URL

from agent.web.options import WebOptions

SIGNAL_PATH = "/livekit"
"""Where this server proxies LiveKit's signalling, so that a page served over HTTPS needs no second certificate."""

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def livekit_url_for(request: web.Request, options: WebOptions) -> str:
    """The ws(s):// address of livekit-server for the browser that sent `request`.

    Raises HTTPBadRequest if the Host header is not a host name or address.
    """
    if options.livekit_public_url is not None:
        return options.livekit_public_url
    if not _HOST.fullmatch(request.host):
        raise web.HTTPBadRequest(text="The request's Host header is not valid.")
    if options.tls:
        return f"wss://{request.host}{SIGNAL_PATH}"
    host = URL(f"http://{request.host}")
    return str(URL.build(scheme="ws", host=host.host or "", port=URL(options.livekit_url).port))


def security_headers(livekit_url: str) -> dict[str, str]:
    """Headers of every response: a page can reach only this server and livekit-server, and runs no inline scripts."""
    signal = URL(livekit_url)
    http = signal.with_scheme("https" if signal.scheme == "wss" else "http")
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "media-src": "'self' blob:",
        "connect-src": f"'self' {signal.origin()} {http.origin()}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
