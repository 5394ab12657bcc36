"""The environment that keeps everything on the machine."""

import subprocess
import sys

import pytest

from agent.operate.offline import NOWHERE, force_offline

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name",
    [
        "LIVEKIT_DEV_MODE",
        "LIVEKIT_REMOTE_EOT_URL",
        "LIVEKIT_OBSERVABILITY_URL",
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    ],
)
def test_what_leads_outside_is_removed(name: str) -> None:
    environment = {name: "http://192.0.2.1", "LANG": "C.UTF-8"}
    force_offline(environment)
    assert name not in environment
    assert environment["LANG"] == "C.UTF-8"


def test_what_keeps_libraries_inside_is_set_whatever_it_was() -> None:
    environment = {"HF_HUB_OFFLINE": "0", "LIVEKIT_INFERENCE_URL": "https://elsewhere.example"}
    force_offline(environment)
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["LIVEKIT_INFERENCE_URL"] == NOWHERE
    assert NOWHERE.startswith("http://127.0.0.1:9/")


def test_twice_is_as_good_as_once() -> None:
    environment: dict[str, str] = {}
    force_offline(environment)
    once = dict(environment)
    force_offline(environment)
    assert environment == once


def test_livekit_reads_its_inference_address_from_there() -> None:
    """In a process of its own: libraries read the environment when they are imported."""
    code = (
        "import os; from agent.operate.offline import force_offline; force_offline(os.environ);"
        "from livekit.agents.inference import _utils;"
        "print(_utils.get_default_inference_url())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == NOWHERE
