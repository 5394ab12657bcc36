"""Where a language model server may be. Its use is tested against a real one (tests/vllm)."""

import pytest
from pydantic import TypeAdapter, ValidationError

from serving.errors import EngineLoadFailed
from serving.llm.openai_server import OpenAiServerLlm, OpenAiServerOptions, is_on_this_machine
from tests.contract.llm_suite import LANGUAGE_MODEL

pytestmark = pytest.mark.unit

HERE = ["unix:/run/vllm.sock", "http://127.0.0.1:8000", "http://127.8.8.8:1/", "http://[::1]:8000"]
ELSEWHERE = [
    "http://192.168.1.5:8000",
    "http://localhost:8000",  # whatever it resolves to
    "http://localhost.example.com",
    "https://127.0.0.1:8000",
    "http://127.0.0.1.example.com:8000",
    "http://127.0.0.1@example.com",
    "http://0.0.0.0:8000",
    "http://2130706433",
    "unix:relative.sock",
    "ftp://127.0.0.1",
    "127.0.0.1:8000",
    "",
]


@pytest.mark.parametrize("address", HERE)
def test_sockets_and_loopback_are_on_this_machine(address: str) -> None:
    assert is_on_this_machine(address)
    assert OpenAiServerOptions(address=address).address == address


@pytest.mark.parametrize("address", ELSEWHERE)
def test_any_other_address_is_refused_unless_it_is_meant(address: str) -> None:
    assert not is_on_this_machine(address)
    with pytest.raises(ValidationError, match=r"not on this machine.*allow_remote"):
        TypeAdapter(OpenAiServerOptions).validate_python({"address": address})
    assert OpenAiServerOptions(address=address, allow_remote=True).allow_remote


def test_options_refuse_unknown_keys_and_wrong_values() -> None:
    for wrong in ({"address": ""}, {"address": HERE[0], "url": "x"}, {"address": HERE[0], "top_p": 0}):
        with pytest.raises(ValidationError):
            TypeAdapter(OpenAiServerOptions).validate_python(wrong)


def test_a_server_that_is_not_there_is_named_with_what_to_do(tmp_path: object) -> None:
    options = OpenAiServerOptions(address=f"unix:{tmp_path}/vllm.sock", wait_s=0)
    with pytest.raises(EngineLoadFailed, match=r"No language model answers at unix:.*vllm serve"):
        OpenAiServerLlm(options, LANGUAGE_MODEL / "hf").load()
