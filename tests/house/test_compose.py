"""compose.yaml keeps to the part of the compose specification written down here, to the settings and to the image.

Compose itself reads it in `python -m scripts.image`.
"""

import re
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from agent.operate.supervisor.readiness import PROCESSES
from agent.settings import Network, load_settings
from tests.house import dockerfile as docker

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Healthcheck(_Strict):
    test: list[str] | None = None
    interval: str | None = None
    timeout: str | None = None
    retries: int | None = None
    start_period: str | None = None


class Condition(_Strict):
    condition: Literal["service_started", "service_healthy"]


class Device(_Strict):
    driver: Literal["nvidia"]
    count: int
    capabilities: list[Literal["gpu"]]


class Reservations(_Strict):
    devices: list[Device]


class Resources(_Strict):
    reservations: Reservations


class Deploy(_Strict):
    resources: Resources


class Service(_Strict):
    """The part of the compose specification that compose.yaml uses; anything else is a mistake until it is added here."""

    image: str
    network_mode: Literal["host"]
    restart: Literal["unless-stopped"]
    read_only: Literal[True]
    cap_drop: list[Literal["ALL"]] = Field(min_length=1)
    security_opt: list[Literal["no-new-privileges:true"]] = Field(min_length=1)
    command: list[str] = []
    profiles: list[str] = []
    pull_policy: Literal["never"] | None = None
    env_file: str | None = None
    environment: dict[str, str] = {}
    user: str | None = None
    ulimits: dict[Literal["core", "nofile"], int] = {}
    pids_limit: int | None = None
    tmpfs: list[str] = []
    logging: dict[str, Any] = {}
    volumes: list[str] = []
    depends_on: dict[str, Condition] = {}
    healthcheck: Healthcheck | None = None
    shm_size: str | None = None
    stop_grace_period: str | None = None
    deploy: Deploy | None = None


class Compose(_Strict):
    name: str
    services: dict[str, Service]
    volumes: dict[str, dict[str, Any]]


class _Loader(yaml.SafeLoader):
    """Knows compose's own tag."""


_Loader.add_constructor("!reset", lambda loader, node: None)


def _read(name: str) -> dict[str, Any]:
    content = yaml.load((ROOT / name).read_text(), _Loader)
    assert isinstance(content, dict)
    return {key: value for key, value in content.items() if not key.startswith("x-")}


COMPOSE = Compose.model_validate(_read("compose.yaml"))


def test_the_services_are_the_processes_and_what_telephony_adds() -> None:
    always = {name for name, service in COMPOSE.services.items() if not service.profiles}
    assert always == set(PROCESSES)
    assert set(COMPOSE.services) - always == {"redis", "sip"}


def test_each_process_is_started_by_its_own_command() -> None:
    for process in PROCESSES:
        assert COMPOSE.services[process].command[0] == process
        assert COMPOSE.services[process].pull_policy == "never"
        assert COMPOSE.services[process].env_file == ".env"


def test_only_the_worker_has_the_gpu_the_models_and_the_cache() -> None:
    worker = COMPOSE.services["worker"]
    assert [name for name, service in COMPOSE.services.items() if service.deploy] == ["worker"]
    assert worker.environment["CALLBOX_MODELS"] == "/models"
    assert "./models:/models:ro" in worker.volumes
    cache = docker.parse((ROOT / "Dockerfile.cuda").read_text()).image.environment()["HOME"]
    assert f"cache:{cache}" in worker.volumes
    assert "cache" in COMPOSE.volumes


def test_what_is_mounted_from_the_folder_is_there_and_read_only(committed_files: list[Path]) -> None:
    for service in COMPOSE.services.values():
        for volume in service.volumes:
            source, target, *mode = volume.split(":")
            if source.startswith("./"):
                assert mode == ["ro"], volume
                assert any(path.is_relative_to(ROOT / source) for path in committed_files), volume
            else:
                assert source in COMPOSE.volumes
            assert target.startswith("/")


def test_who_is_waited_for_has_a_health_check() -> None:
    for name, service in COMPOSE.services.items():
        for other in service.depends_on:
            awaited = COMPOSE.services[other]
            assert awaited.healthcheck or other in PROCESSES, f"{name} waits for {other}"


def test_no_core_dump_and_pinned_images() -> None:
    for name, service in COMPOSE.services.items():
        if name != "redis":
            assert service.ulimits["core"] == 0
        default = re.fullmatch(r"(?:callbox:)?\$\{\w+:-(?P<tag>[^}]+)\}", service.image)
        assert default, service.image
        assert not default["tag"].endswith("latest"), service.image


def test_telephony_uses_the_ports_of_the_settings_and_stays_inside() -> None:
    sip = yaml.safe_load((ROOT / "configs" / "sip.yaml").read_text())
    network = Network()
    assert COMPOSE.services["sip"].environment["LIVEKIT_WS_URL"] == f"ws://127.0.0.1:{network.livekit_port}"
    redis = COMPOSE.services["redis"].command
    assert sip["redis"]["address"] == f"{redis[redis.index('--bind') + 1]}:{redis[redis.index('--port') + 1]}"
    assert sip["use_external_ip"] is False
    rtp = range(*(int(port) for port in sip["rtp_port"].split("-")))
    taken = {getattr(network, name) for name in Network.model_fields if name.endswith("_port")}
    assert not taken & {sip["sip_port"], *rtp}


def test_the_file_without_a_gpu_changes_only_what_it_says() -> None:
    override = _read("compose.cpu.yaml")["services"]
    assert set(override) == set(PROCESSES)
    assert override["worker"]["deploy"] is None
    for service in override.values():
        assert set(service) <= {"image", "command", "environment", "deploy"}


def test_no_profile_moves_a_port() -> None:
    """The health check and livekit-server are told of no profile."""
    for profile in sorted(path.stem for path in (ROOT / "configs" / "profiles").glob("*.yaml")):
        assert (
            load_settings(profile, site=ROOT / "no-such-file").network
            == load_settings("demo", site=ROOT / "no-such-file").network
        )
