#!/usr/bin/env bash
# The static checks, one line each; the first failure stops.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="$PWD/${BIN:-.venv/bin}"
export PATH="$bin:$PATH"
mypy_targets=(chassis/src services/*/src gateway/src cli/src chassis/tests services/*/tests gateway/tests cli/tests tests dev)

step() {
  local name="$1"
  shift
  local started=$SECONDS
  if output=$("$@" 2>&1); then
    printf '  %-34s ok  %3d s\n' "$name" $((SECONDS - started))
  else
    printf '  %-34s FAILED\n%s\n' "$name" "$output"
    exit 1
  fi
}

existing=()
for target in "${mypy_targets[@]}"; do [ -d "$target" ] && existing+=("$target"); done

step "ruff check" ruff check .
step "ruff format" ruff format --check .
step "mypy --strict" mypy "${existing[@]}"
step "import-linter" lint-imports --no-cache
step "buf lint" bash -c 'cd proto && buf lint'
step "buf format" bash -c 'cd proto && buf format --diff --exit-code'
step "buf breaking" bash -c 'cd proto && buf breaking --against baseline.binpb'
step "protos are generated" python dev/generate_proto.py --check
step "squawk" python dev/lint_migrations.py
step "yamllint" yamllint --strict -d '{extends: default, rules: {line-length: {max: 140}, document-start: disable, truthy: {check-keys: false}}}' proto/events.yaml proto/buf.yaml .github
step "shellcheck" bash -c 'git ls-files -z "*.sh" .ci/run | xargs -0 shellcheck --severity=style'
step "zizmor" zizmor --offline --no-progress --quiet .github/workflows
step "dashboard" python dev/dashboard.py check
step "architecture tests" python -m pytest -q -p no:cacheprovider tests/architecture
