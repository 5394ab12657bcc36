#!/usr/bin/env bash
# Put a livekit-server at .cache/bin/livekit-server: the one on PATH, else built with Go, else the official release.
# Does nothing if one is there. CALLBOX_CACHE=FOLDER puts it elsewhere. To bring one into a closed network, put the binary at
# that path, or the release's archive into that folder's parent (see the last message).
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.13.5
cache=${CALLBOX_CACHE:-$PWD/.cache}
target=$cache/bin/livekit-server
case "$(uname -m)" in
    # SHA-256 from the release's checksums.txt
    x86_64) arch=amd64 sum=c020fac437b7cc9b776eef1ad5ea8af77be9acfa07602eca20a3a44930dfbc70 ;;
    aarch64) arch=arm64 sum=332015305518765fe05bad74fc3a9d9583e635e7dd130de3c4fc563d69c550f3 ;;
    *) arch=unknown sum= ;;
esac
archive=livekit_${version}_linux_$arch.tar.gz
url=https://github.com/livekit/livekit/releases/download/v$version/$archive

say() { echo "livekit: $*" >&2; }

version_of() { "$1" --version 2>/dev/null | awk '/version/ { print $NF }'; }

use_installed() {
    local found have
    found=$(command -v livekit-server) || return 1
    have=$(version_of "$found")
    [[ -n $have ]] || { say "$found does not run on this machine: skipped"; return 1; }
    ln -sf "$found" "$target"
    say "uses $found, version $have$([[ $have == "$version" ]] || echo " (Callbox is tested with $version)")"
}

build() {
    command -v go >/dev/null || { say "no Go on PATH: not built from source"; return 1; }
    say "building $version with $(go version | cut -d' ' -f3): 2 to 5 minutes, once; Go prints nothing meanwhile"
    # without C, as the official release: the program then runs on any C library, and can be carried to another machine
    if ! CGO_ENABLED=0 GOBIN=$cache/build go install "github.com/livekit/livekit-server/cmd/server@v$version" 2>"$cache/build.log"; then
        say "the build failed: $(tail -n 1 "$cache/build.log") (see $cache/build.log)"
        return 1
    fi
    mv "$cache/build/server" "$target"
    rm -rf "$cache/build"
}

fetch() {
    [[ -n $sum ]] || { say "there is no release for $(uname -m)"; return 1; }
    if [[ -f $cache/$archive ]]; then
        say "uses $cache/$archive"
    else
        command -v curl >/dev/null || { say "no curl on PATH: the release is not downloaded"; return 1; }
        say "downloading $archive (18 MB)"
        if ! curl --fail --silent --show-error --location --max-time 600 -o "$cache/$archive.part" "$url"; then
            rm -f "$cache/$archive.part"
            return 1
        fi
        mv "$cache/$archive.part" "$cache/$archive"
    fi
    if ! echo "$sum  $cache/$archive" | sha256sum --check --status; then
        say "$cache/$archive is not the official file (its SHA-256 is not $sum): delete it and try again"
        return 1
    fi
    tar -xzf "$cache/$archive" -C "$cache/bin" livekit-server
}

mkdir -p "$cache/bin"
if [[ -x $target && -n $(version_of "$target") ]]; then
    exit 0
fi
rm -f "$target"
if use_installed || build || fetch; then
    say "$target, version $(version_of "$target")"
    exit 0
fi
say "not installed: no livekit-server on PATH, no build with Go, no download. Offline? On a machine with internet, download"
say "    $url"
say "and put the file, unchanged, here: $cache/$archive"
say "then run this again. (Or put any livekit-server $version binary at $target.)"
exit 1
