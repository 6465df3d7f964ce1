#!/usr/bin/env bash
# Deletes the kind cluster, with everything in it: data and secrets too. KIND_CLUSTER: its name (default aiops).
set -euo pipefail

command -v kind >/dev/null || { echo "kind is not installed, so it has no cluster here." >&2; exit 1; }
kind delete cluster --name "${KIND_CLUSTER:-aiops}"
