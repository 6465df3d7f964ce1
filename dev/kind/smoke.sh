#!/usr/bin/env bash
# Waits until what was deployed is ready, and checks its main job through the gateway: dev/smoke.py by a port forward.
# The first account is made on the way; its password is kept in the cluster, in the Secret aiops-first-admin.
#
# KUBE_CONTEXT  default: that of skaffold, else the current one; NAMESPACE: default aiops; WAIT_SECONDS: default 600
set -euo pipefail
cd "$(dirname "$0")/../.."

namespace="${NAMESPACE:-aiops}"
context="${KUBE_CONTEXT:-${SKAFFOLD_KUBE_CONTEXT:-}}"
folder=$(mktemp -d)
forward=""
finish() {
  [ -z "$forward" ] || kill "$forward" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

k() {
  kubectl ${context:+--context "$context"} --namespace "$namespace" "$@"
}

secret() {
  k get secret "$1" --output "jsonpath={.data.$2}" | base64 --decode
}

k wait rollouts.argoproj.io --all --for 'jsonpath={.status.phase}=Healthy' --timeout "${WAIT_SECONDS:-600}s"

if ! k get secret aiops-first-admin >/dev/null 2>&1; then
  (umask 077 && head -c 18 /dev/urandom | base64 | tr -d '\n' >"$folder/password")
  k create secret generic aiops-first-admin --from-literal email=admin@aiops.local \
    --from-file "password=$folder/password"
fi
AIOPS_SMOKE_EMAIL=$(secret aiops-first-admin email)
AIOPS_SMOKE_PASSWORD=$(secret aiops-first-admin password)
export AIOPS_SMOKE_EMAIL AIOPS_SMOKE_PASSWORD
(umask 077 && secret aiops-auth setup-token >"$folder/setup-token")

# Port 0 is a free one of this machine; kubectl prints which.
k port-forward service/aiops-gateway :8080 >"$folder/forward" &
forward=$!
port=""
for _ in $(seq 50); do
  port=$(sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$folder/forward")
  [ -z "$port" ] || break
  sleep 0.2
done
[ -n "$port" ] || { echo "kubectl could not forward a port to the gateway." >&2; exit 1; }

.venv/bin/python dev/smoke.py --url "http://127.0.0.1:$port" --setup-token-file "$folder/setup-token"
