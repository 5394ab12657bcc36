"""Dockerfile.cuda and .dockerignore agree with the repository.

What an engine makes of them is looked at by `python -m scripts.image`, which takes minutes.
"""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.house import dockerfile as docker

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
IMAGE = docker.parse((ROOT / "Dockerfile.cuda").read_text())
IGNORED = (ROOT / ".dockerignore").read_text()


@pytest.fixture(scope="module")
def context(committed_files: list[Path]) -> list[str]:
    names = [str(path.relative_to(ROOT)) for path in committed_files]
    return [name for name in names if docker.is_in_context(name, IGNORED)]


def test_whatever_is_copied_is_in_git_and_in_the_context(context: list[str]) -> None:
    sources = [
        source
        for stage in IMAGE.stages
        for copy in docker.copies(stage)
        if not copy.from_stage
        for source in copy.sources
    ]
    assert "agent" in sources
    for source in sources:
        for value in ("cpu", "gpu"):
            wanted = source.replace("${PACKAGES}", value)
            assert [name for name in context if fnmatch(name, wanted) or name.startswith(f"{wanted}/")], wanted


def test_stages_are_copied_from_that_exist() -> None:
    names = {stage.name for stage in IMAGE.stages}
    assert {copy.from_stage for stage in IMAGE.stages for copy in docker.copies(stage)} - {None} <= names
    for mount in re.findall(r"--mount=type=bind,from=([\w-]+)", str(IMAGE.stages)):
        assert mount in names


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.1234",
        "configs/.env",
        "configs/site.yaml",
        "configs/tls/key.pem",
        "configs/server.key",
        ".git/config",
        ".venv/bin/python",
        ".cache/bin/livekit-server",
        "out/call/call.wav",
        "models/store/llama-3.1-8b/model.safetensors",
        "agent/web/playground/node_modules/esbuild/package.json",
        "agent/__pycache__/worker.cpython-311.pyc",
        "tests/house/test_image.py",
        "scripts/train/build.py",
    ],
)
def test_secrets_weights_training_and_what_was_built_stay_outside(path: str) -> None:
    assert not docker.is_in_context(path, IGNORED)


def test_what_the_image_needs_passes() -> None:
    for path in (
        "agent/operate/worker.py",
        "agent/web/static/index.html",
        "configs/profiles/gpu.yaml",
        "models/demo/README.md",
    ):
        assert docker.is_in_context(path, IGNORED), path


def test_the_bases_are_arguments_with_a_tag() -> None:
    assert set(IMAGE.arguments) == {"BASE_IMAGE", "GO_IMAGE", "PACKAGES"}
    for name in ("BASE_IMAGE", "GO_IMAGE"):
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", IMAGE.arguments[name])
        assert not IMAGE.arguments[name].endswith("latest")


def test_nothing_else_than_the_pinning_scripts_installs() -> None:
    runs = [argument for stage in IMAGE.stages for argument in stage.all("RUN")]
    assert [run for run in runs if re.search(r"curl|wget|pip install|ADD ", run)] == []
    assert IMAGE.arguments["PACKAGES"] == "gpu"
    assert any("scripts/install_python.sh" in run for run in runs)
    assert any("scripts/install_livekit.sh" in run for run in runs)


def test_the_image_runs_as_a_numbered_user_under_an_init() -> None:
    image = IMAGE.image
    uid, _, gid = image.all("USER")[-1].partition(":")
    assert int(uid) == int(gid) >= 10000
    entrypoint = json.loads(image.all("ENTRYPOINT")[0])
    assert entrypoint == ["/usr/bin/tini", "--", "python", "-m", "agent"]
    assert image.all("STOPSIGNAL") == ["SIGTERM"]


def test_the_health_check_is_a_command_of_the_agent() -> None:
    (check,) = IMAGE.image.all("HEALTHCHECK")
    assert json.loads(check[check.index("CMD ") + 4 :]) == ["python", "-m", "agent", "ready"]


def test_every_cache_is_in_the_one_writable_folder() -> None:
    environment = IMAGE.image.environment()
    caches = {
        "HOME",
        "XDG_CACHE_HOME",
        "VLLM_CACHE_ROOT",
        "TRITON_CACHE_DIR",
        "TORCHINDUCTOR_CACHE_DIR",
        "CUDA_CACHE_PATH",
    }
    assert caches <= set(environment)
    assert {name for name in caches if not environment[name].startswith("/var/cache/callbox")} == set()


def test_no_secret_is_in_a_layer() -> None:
    text = (ROOT / "Dockerfile.cuda").read_text()
    assert not re.search(r"^(ARG|ENV) .*(SECRET|TOKEN|PASSWORD|INDEX)", text, re.MULTILINE)
