#!/usr/bin/env bash
# The web tests need Chromium. Uses the one on PATH, else installs Debian's, else says what to do.
# CALLBOX_BROWSER=none continues without one; the web tests are then reported as skipped.
set -euo pipefail

if [[ ${CALLBOX_BROWSER:-} == none ]]; then
    exit 0
fi
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done

root=()
if [[ $EUID -ne 0 ]]; then
    root=(sudo --non-interactive)
fi
if command -v apt-get >/dev/null && { [[ $EUID -eq 0 ]] || sudo --non-interactive true 2>/dev/null; }; then
    echo "==> Chromium for the web tests (about 100 MB, once)"
    export DEBIAN_FRONTEND=noninteractive
    "${root[@]}" apt-get update -qq
    "${root[@]}" apt-get install -y -qq --no-install-recommends chromium >/dev/null
    exit 0
fi
echo "browser: the web tests need Chromium on PATH. Install it (Debian: sudo apt-get install chromium), or skip these" \
    "tests: CALLBOX_BROWSER=none make test" >&2
exit 1
