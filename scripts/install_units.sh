#!/usr/bin/env bash
# Install the systemd units that run the Callbox in FOLDER: three services and their target.
#   sudo scripts/install_units.sh FOLDER [UNITS]     UNITS: /etc/systemd/system
# FOLDER: a checkout after `make setup livekit turn-model`, or what `scripts/bundle.py install` made.
# Makes FOLDER/.env (keys, mode 0600) unless it is there. Run it again after an update.
set -euo pipefail

die() { echo "install_units: $*" >&2; exit 1; }

folder=${1:?"usage: scripts/install_units.sh FOLDER [UNITS]"}
units=${2:-/etc/systemd/system}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(realpath -e -- "$folder") || die "no folder $1"
python=$folder/.venv/bin/python

[[ $folder =~ ^[A-Za-z0-9/._-]+$ ]] || die "$folder: systemd needs a path of letters, digits, dots, dashes and underscores"
[[ $EUID -eq 0 ]] || die "only root may install units: sudo scripts/install_units.sh $folder"
[[ -x $python ]] || die "$python is missing: run 'make setup' in $folder first"
[[ -x $folder/.cache/bin/livekit-server ]] || die "livekit-server is missing: run 'make livekit' in $folder first"
# Each service runs as a user of its own that exists only while it runs.
if ! (cd / && setpriv --reuid 65534 --regid 65534 --clear-groups "$python" -c "import os; os.listdir('$folder/agent')") 2>/dev/null; then
    die "other users cannot read $folder or its Python ($(realpath "$python"))." \
        "Install with the system's own Python in a folder that everybody may read, such as /srv/callbox"
fi

(cd "$folder" && "$python" -m agent keys .env)
chown root:root "$folder/.env"
install -d "$units"
for unit in "$here"/configs/systemd/callbox*; do
    sed "s|@FOLDER@|$folder|g" "$unit" >"$units/$(basename "$unit").new"
    mv "$units/$(basename "$unit").new" "$units/$(basename "$unit")"
done
systemd-analyze verify "$units"/callbox*
if [[ -d /run/systemd/system && $units == /etc/systemd/system ]]; then
    systemctl daemon-reload
fi
echo "install_units: next: systemctl enable --now callbox.target && journalctl --follow --unit 'callbox-*'"
