"""The echo participant on a real media server."""

import pytest

from scripts.caller.echo import measure_floor
from scripts.caller.room import Ticket, mint_ticket
from tests.livekit_server import LiveKitServer, livekit_server

__all__ = ["livekit_server"]

pytestmark = pytest.mark.call


async def test_clicks_come_back_from_the_echo(livekit_server: LiveKitServer) -> None:
    def ticket_for(identity: str) -> Ticket:
        server = livekit_server
        return mint_ticket(server.url, server.key, server.secret, room="echo", identity=identity)

    trips_ms = await measure_floor(ticket_for, clicks=4)
    assert len(trips_ms) >= 3
    assert all(trip_ms > 20 for trip_ms in trips_ms), "a round trip takes at least the frame that carries the click"
