#!/usr/bin/env bash
# Download the models of a profile into models/store, checked against models/lock.yaml. Run it again to continue.
#   scripts/download_models.sh [--profile gpu|cpu] [--only NAME] [--update NAME] [--mirror URL]
# Without --profile: gpu if there is a /dev/nvidia0, else cpu. NAME: as in models/manifest.yaml; may be repeated.
# HF_TOKEN (for gated models) and HF_ENDPOINT (a mirror) are taken from the environment, else from .env.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_python.sh "$(scripts/packages_for.sh)"
exec .venv/bin/python -m models download "$@"
