"""How livekit-server is started: its program, and configs/livekit.yaml with the settings' addresses and ports."""

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any, NoReturn

import psutil
import yaml

from agent.errors import ConfigError
from agent.settings import ROOT, Keys, Network
from agent.yaml_files import read_yaml

CONFIG = ROOT / "configs" / "livekit.yaml"
CACHE = ROOT / ".cache"
LOOPBACK = "127.0.0.1"


def server_program() -> Path:
    """Where scripts/install_livekit.sh puts livekit-server. Raises ConfigError if it is not installed."""
    program = Path(os.environ.get("CALLBOX_CACHE", CACHE)) / "bin" / "livekit-server"
    if not os.access(program, os.X_OK):
        raise ConfigError(f"{program} is missing. Install it with `make livekit`.")
    return program


def require_own_address(network: Network) -> None:
    """Raises ConfigError unless `network.address` is loopback or an IPv4 address of this machine."""
    if network.is_loopback:
        return
    try:
        ipaddress.IPv4Address(network.address)
    except ValueError:
        raise ConfigError(f"ADDRESS={network.address} is not an IPv4 address such as 192.168.1.5.") from None
    items = [item for items in psutil.net_if_addrs().values() for item in items]
    own = sorted({item.address for item in items if item.family == socket.AF_INET})
    if network.address not in own:
        raise ConfigError(
            f"ADDRESS={network.address} is not an address of this machine. It has: {', '.join(own)}. "
            "Use the one that callers' machines reach it at."
        )


def node_address(network: Network) -> str:
    """The IPv4 address at which livekit-server and the web server are reached."""
    return LOOPBACK if network.is_loopback else network.address


def server_environment(network: Network, keys: Keys) -> dict[str, str]:
    """livekit-server's whole configuration, including secrets; its command line stays empty. Raises ConfigError."""
    return {"LIVEKIT_CONFIG": server_config(network), "LIVEKIT_KEYS": f"{keys.api_key}: {keys.api_secret}"}


def become_livekit_server(network: Network, keys: Keys) -> NoReturn:
    """Replace this process with livekit-server, for systemd and containers. Raises ConfigError."""
    require_own_address(network)
    program = server_program()
    environment = {**os.environ, **server_environment(network, keys)}
    os.execve(program, [str(program)], environment)


def server_config(network: Network, config_file: Path = CONFIG) -> str:
    """livekit-server's YAML: `config_file` with `network` filled in. Raises ConfigError.

    On loopback it listens nowhere else. With an address in the local network it listens there too, and opens the TCP port
    for callers whose network blocks UDP; livekit-server binds that port to every address.
    """
    config = read_yaml(config_file)
    if not isinstance(config, dict):
        raise ConfigError(f"{config_file}: must be a mapping.")
    filled = {
        **config,
        "port": network.livekit_port,
        "bind_addresses": sorted({LOOPBACK, node_address(network)}),
        "rtc": {**(config.get("rtc") or {}), **_rtc(network)},
    }
    return yaml.safe_dump(filled, sort_keys=False)


def _rtc(network: Network) -> dict[str, Any]:
    return {
        "udp_port": network.rtc_udp_port,
        "tcp_port": 0 if network.is_loopback else network.rtc_tcp_port,
        "node_ip": node_address(network),
        "enable_loopback_candidate": network.is_loopback,
        "ips": {"includes": [f"{node_address(network)}/32"]},
    }
