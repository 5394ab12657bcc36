#!/usr/bin/env bash
# Prints the set of Python packages that `make run` needs: gpu or cpu. The profile itself is chosen by agent/profiles.py.
#   scripts/packages_for.sh [PROFILE]
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-}
if [[ $profile == gpu ]] || { [[ -z $profile ]] && [[ -e /dev/nvidia0 ]] && compgen -G "models/store/llama-3.1-8b*" >/dev/null; }; then
    echo gpu
else
    echo cpu
fi
