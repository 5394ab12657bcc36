#!/usr/bin/env bash
# Installs the free synthesizers that speak the callers of some tests and benches: install_voices.sh NAME... (flite, espeak-ng,
# festival; foreign: festival's speakers of other languages). Uses those that are there, else installs Debian's, else says what
# to do. CALLBOX_VOICES=none continues without them; what needs them is then reported as skipped.
set -euo pipefail

if [[ ${CALLBOX_VOICES:-} == none ]]; then
    exit 0
fi

missing=()
for name in "$@"; do
    case $name in
    festival) packages=(festival festvox-kdlpc16k festvox-kallpc16k festvox-us-slt-hts) ;;
    foreign) packages=(festival festvox-kallpc16k festvox-czech-dita festvox-czech-krb festvox-czech-machac
        festvox-czech-ph festvox-suopuhe-lj festvox-suopuhe-mv festvox-hi-nsk festival-hi festvox-italp16k festvox-itapc16k) ;;
    *) packages=() ;;
    esac
    [[ ${packages[*]} ]] || command -v "$name" >/dev/null || missing+=("$name")
    for package in "${packages[@]}"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
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
echo "voices: ${missing[*]} are missing. Install them (Debian: sudo apt-get install ${missing[*]}), or skip what needs" \
    "them: CALLBOX_VOICES=none" >&2
exit 1
