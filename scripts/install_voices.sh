#!/usr/bin/env bash
# The callers of some tests and benches are spoken by free synthesizers: install_voices.sh PROGRAM... (flite, espeak-ng,
# festival). Uses those on PATH, else installs Debian's, else says what to do. CALLBOX_VOICES=none goes on without: what
# needs them is then reported as skipped.
set -euo pipefail

if [[ ${CALLBOX_VOICES:-} == none ]]; then
    exit 0
fi
missing=()
for program in "$@"; do
    command -v "$program" >/dev/null && continue
    missing+=("$program")
    if [[ $program == festival ]]; then
        missing+=(festvox-kdlpc16k festvox-kallpc16k festvox-us-slt-hts)
    fi
done
if ((${#missing[@]} == 0)); then
    exit 0
fi

root=()
if [[ $EUID -ne 0 ]]; then
    root=(sudo --non-interactive)
fi
if command -v apt-get >/dev/null && { [[ $EUID -eq 0 ]] || sudo --non-interactive true 2>/dev/null; }; then
    echo "==> synthetic callers' voices: ${missing[*]} (once)"
    export DEBIAN_FRONTEND=noninteractive
    "${root[@]}" apt-get update -qq
    "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    exit 0
fi
echo "voices: ${missing[*]} are missing. Install them (Debian: sudo apt-get install ${missing[*]}), or leave out what needs" \
    "them: CALLBOX_VOICES=none" >&2
exit 1
