"""Which hub is used, and with which account."""

from pathlib import Path

import pytest

from models.errors import DownloadFailed
from models.hub import OFFICIAL, Hub, hub_from

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("mirror", "environment", "dotenv", "endpoint"),
    [
        (None, {}, "", OFFICIAL),
        (None, {}, "HF_ENDPOINT=http://dotenv/", "http://dotenv"),
        (None, {"HF_ENDPOINT": "http://environment"}, "HF_ENDPOINT=http://dotenv", "http://environment"),
        ("https://option/path/", {"HF_ENDPOINT": "http://environment"}, "", "https://option/path"),
    ],
)
def test_the_address_is_the_options_else_the_environments_else_dotenvs(
    tmp_path: Path, mirror: str | None, environment: dict[str, str], dotenv: str, endpoint: str
) -> None:
    (tmp_path / ".env").write_text(dotenv)
    assert hub_from(tmp_path / ".env", mirror, environment).endpoint == endpoint


@pytest.mark.parametrize(
    ("environment", "dotenv", "token"),
    [
        ({}, "", None),
        ({}, "HF_TOKEN=hf_a", "hf_a"),
        ({"HF_TOKEN": "hf_b"}, "HF_TOKEN=hf_a", "hf_b"),
        ({"HF_TOKEN": " "}, "", None),
    ],
)
def test_the_token_is_the_environments_else_dotenvs(
    tmp_path: Path, environment: dict[str, str], dotenv: str, token: str | None
) -> None:
    (tmp_path / ".env").write_text(dotenv)
    assert hub_from(tmp_path / ".env", None, environment).token == token


@pytest.mark.parametrize("address", ["mirror.example", "ftp://mirror.example", "file:///models"])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(DownloadFailed, match=f"'{address}' is not a hub's address"):
        hub_from(tmp_path / ".env", address, {})


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"sha": null}'])
def test_an_address_that_is_no_hub_is_told(answer: str) -> None:
    from tests.models.loopback_hub import LoopbackHub, running

    hub = LoopbackHub()
    hub.page = answer
    with running(hub), pytest.raises(DownloadFailed, match=r"does not answer like a model hub|lists no commit"):
        Hub(hub.url).listing("lab/whisper", None, gated=False)


def test_hub_offline_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadFailed, match="HF_HUB_OFFLINE is set"):
        Hub("http://127.0.0.1:9").listing("lab/whisper", None, gated=False)
