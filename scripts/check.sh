#!/usr/bin/env bash
# What `make check` checks: format, lint, import rules, types, the Dockerfile, shell scripts and the playground.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
playground=agent/web/playground

step() { echo "==> $*" && "$@"; }

step "$bin/ruff" check .
step "$bin/ruff" format --check .
step "$bin/lint-imports"
step "$bin/mypy"
step "$bin/hadolint" Dockerfile.cuda
if command -v shellcheck >/dev/null; then
    step shellcheck scripts/*.sh .ci/run
else
    echo "==> shell scripts are not checked: no shellcheck on PATH"
fi
if command -v npm >/dev/null; then
    stamp=$playground/node_modules/.package-lock.json
    if [[ ! $stamp -nt $playground/package-lock.json ]]; then
        step npm --prefix "$playground" ci --no-audit --no-fund
    fi
    step npm --prefix "$playground" run check
else
    echo "==> the playground's types are not checked: no npm on PATH"
fi
