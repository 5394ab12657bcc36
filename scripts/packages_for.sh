#!/usr/bin/env bash
# Prints the set of Python packages that `make run` needs: gpu or cpu. The profile itself is chosen by agent/operate/profiles.py.
#   scripts/packages_for.sh [PROFILE]
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-}
store=${CALLBOX_MODELS:-models}/store

has_gpu() { compgen -G "/dev/nvidia[0-9]*" || nvidia-smi -L; } &>/dev/null
has_models() { compgen -G "$store/*/*.safetensors"; } >/dev/null # what vLLM reads; the other profiles' models are in other formats
# What is installed stays: the gpu set runs every profile, and a machine without internet that fails to find its GPU once
# could not download the other set.
has_gpu_packages() { grep -qE ' requirements/gpu(-dev)?\.txt$' .venv/.locked; } 2>/dev/null

if [[ $profile == gpu ]] || has_gpu_packages || { [[ -z $profile ]] && has_gpu && has_models; }; then
    echo gpu
else
    echo cpu
fi
