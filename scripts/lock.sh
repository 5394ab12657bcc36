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
# onnxruntime and onnxruntime-gpu are the same Python package: on a GPU box the one that faster-whisper, piper-tts
# and others ask for is left out, as a requirement that no interpreter meets.
overrides=$(mktemp)
trap 'rm -f "$overrides"' EXIT
echo "onnxruntime ; python_version < '0'" >"$overrides"

lock cpu pyproject.toml --extra cpu
lock dev pyproject.toml --extra cpu --extra dev --constraints requirements/cpu.txt
lock gpu pyproject.toml --extra gpu --overrides "$overrides"
lock train pyproject.toml --extra train
lock uv requirements/uv.in
