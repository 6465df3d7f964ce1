#!/usr/bin/env bash
# Makes the virtual environment: third-party packages from the lock file with hashes, then our own distributions.
# pip refuses hashes together with editable requirements, hence two steps.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
venv="${VENV:-.venv}"

if ! command -v "$python" >/dev/null; then
  echo "Python 3.11 or newer is needed and '$python' was not found. Install it, or name it: make PYTHON=/path/to/python3.11" >&2
  exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or newer is needed; '$python' is $("$python" -V 2>&1). Name another one: make PYTHON=python3.11" >&2
  exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2
  exit 1
fi
free_kib=$(df -Pk . | awk 'NR==2 {print $4}')
if [ "$free_kib" -lt 1500000 ]; then
  echo "About 1.5 GB of free disk are needed here; there are $((free_kib / 1024)) MB. Free some and run the command again." >&2
  exit 1
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input)
# pip's configuration on some machines names folders that are not there: told only when an installation fails.
ignored='^WARNING: Location .* is ignored: it is '
warnings="$(mktemp)"
trap 'rm -f "$warnings"' EXIT
install() {
  if ! "${pip[@]}" install --quiet "$@" 2>&1 | tee "$warnings" | sed "/$ignored/d" >&2; then
    grep "$ignored" "$warnings" | sort -u >&2 || true
    exit 1
  fi
}
echo "1/2  Installing pinned packages into $venv (about a minute the first time)"
install --require-hashes -r requirements.lock
echo "2/2  Installing AI Ops Assistant itself"
editable=()
for folder in "$@"; do editable+=(-e "./$folder"); done
install --no-deps --no-build-isolation "${editable[@]}"
