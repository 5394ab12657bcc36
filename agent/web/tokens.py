"""Tokens for callers: each is for a new room with one caller, to which one agent is dispatched."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from livekit import api

from agent.web.options import WebOptions

TOKEN_TTL = timedelta(minutes=2)
"""How long a caller has to join; livekit-server renews the tokens of callers who have."""

ROOM_DEPARTURE_TIMEOUT_S = 5
"""How long an empty room stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallToken:
    """A signed permission to join a call."""

    room: str
    identity: str
    jwt: str


def mint_call_token(options: WebOptions) -> CallToken:
    """Sign a token for a room with a random name; joining creates the room and dispatches the agent."""
    room = f"call-{secrets.token_hex(8)}"
    identity = f"caller-{secrets.token_hex(8)}"
    grants = api.VideoGrants(
        room_join=True,
        room=room,
        can_subscribe=True,
        can_publish=True,
        can_publish_sources=["microphone"],
        can_publish_data=True,
        can_update_own_metadata=False,
    )
    room_config = api.RoomConfiguration(
        agents=[api.RoomAgentDispatch(agent_name=options.agent_name)],
        departure_timeout=ROOM_DEPARTURE_TIMEOUT_S,
    )
    token = (
        api.AccessToken(options.api_key, options.api_secret)
        .with_identity(identity)
        .with_ttl(TOKEN_TTL)
        .with_grants(grants)
        .with_room_config(room_config)
    )
    return CallToken(room=room, identity=identity, jwt=token.to_jwt())
