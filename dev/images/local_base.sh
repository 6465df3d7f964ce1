#!/usr/bin/env bash
# Makes the image that the Dockerfile starts from out of Debian's packages, under the same tag: for a machine whose
# engine cannot pull images. Run by `make images BASE=local`. Needs root, mmdebstrap and a Debian mirror.
# The host's CA bundle and pip's index go into this base alone; the Dockerfile knows nothing of them.
set -euo pipefail
engine="${1:?usage: local_base.sh ENGINE TAG}"
tag="${2:?usage: local_base.sh ENGINE TAG}"

if ! command -v mmdebstrap >/dev/null; then
  echo "mmdebstrap is missing. On Debian and Ubuntu: sudo apt-get install mmdebstrap" >&2
  exit 1
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
host_pip() { python3 -m pip config get "$1" 2>/dev/null || true; }
{
  echo "[global]"
  echo "cert = /etc/ssl/certs/ca-certificates.crt"
  index="${PIP_INDEX_URL:-$(host_pip global.index-url)}"
  if [ -n "$index" ]; then echo "index-url = $index"; fi
} >"$work/pip.conf"
cp -L /etc/ssl/certs/ca-certificates.crt "$work/ca.crt"

# shellcheck disable=SC2016 # mmdebstrap gives each hook the folder as $1
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='chroot "$1" python3 -m venv /usr/local' \
  --customize-hook='chroot "$1" /usr/local/bin/pip uninstall --quiet --yes setuptools' \
  --customize-hook="copy-in $work/pip.conf /etc" \
  --customize-hook="upload $work/ca.crt /etc/ssl/certs/ca-certificates.crt" \
  --customize-hook='rm -rf "$1"/usr/share/perl "$1"/usr/lib/*/perl' \
  --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/cache/debconf/*' \
  bookworm "$work/base.tar"
"$engine" import -c 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' "$work/base.tar" "$tag"
