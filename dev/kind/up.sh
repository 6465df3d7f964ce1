#!/usr/bin/env bash
# Makes a kind cluster that is ready for AI Ops Assistant: Argo Rollouts, an ingress controller on ports 8088 and 8443 of
# this machine alone, a namespace for restricted pods, secrets.
# Run again, it makes what is missing and changes nothing else. `dev/kind/down.sh` deletes the cluster.
#
# KIND_CLUSTER  name of the cluster (default aiops); NAMESPACE: default aiops
# VERSION       tag of images made by `make images`, to load into the cluster; skaffold loads what it builds by itself
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster="${KIND_CLUSTER:-aiops}"
namespace="${NAMESPACE:-aiops}"
context="kind-$cluster"
images=(auth logs tickets changelog ai gateway dashboard migrate)
# The version whose CRDs the charts are checked against.
rollouts=https://github.com/argoproj/argo-rollouts/releases/download/v1.9.1/install.yaml
ingress=https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v1.14.3/deploy/static/provider/kind/deploy.yaml

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

missing=()
for tool in docker kind kubectl helm; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
[ ${#missing[@]} -eq 0 ] || fail "Not installed: ${missing[*]}. Needed are Docker, kind, kubectl and Helm, newest" \
  "versions, each by its own documentation (docs.docker.com, kind.sigs.k8s.io, kubernetes.io, helm.sh)."
docker info >/dev/null 2>&1 || fail "Docker is installed, but its engine does not answer. Start it, then run this again."
[ -x .venv/bin/aiops ] || fail "There is no .venv yet; it makes the secrets. Run: make install"

k() {
  kubectl --context "$context" "$@"
}

if kind get clusters 2>/dev/null | grep -Fx "$cluster" >/dev/null; then
  echo "Cluster $cluster is there."
else
  kind create cluster --name "$cluster" --config dev/kind/cluster.yaml --wait 180s
fi

k create namespace argo-rollouts --dry-run=client --output yaml | k apply --filename -
k apply --server-side --namespace argo-rollouts --filename "$rollouts" >/dev/null
k apply --filename "$ingress" >/dev/null
k --namespace argo-rollouts rollout status deployment/argo-rollouts --timeout 180s
k --namespace ingress-nginx rollout status deployment/ingress-nginx-controller --timeout 180s

k create namespace "$namespace" --dry-run=client --output yaml | k apply --filename -
k label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted \
  pod-security.kubernetes.io/warn=restricted

if k --namespace "$namespace" get secret aiops-shared >/dev/null 2>&1; then
  echo "The secrets are there."
else
  .venv/bin/aiops secrets generate --kubernetes --namespace "$namespace" | k create --filename -
fi

if [ -n "${VERSION:-}" ]; then
  for image in "${images[@]}"; do
    docker image inspect "aiops-$image:$VERSION" >/dev/null 2>&1 \
      || fail "There is no image aiops-$image:$VERSION. Make it: make images VERSION=$VERSION"
    kind load docker-image --name "$cluster" "aiops-$image:$VERSION"
  done
fi

echo "Ready: context $context, namespace $namespace. Next: skaffold run${VERSION:+, or make deploy VERSION=$VERSION}"
echo "Then: http://aiops.localhost:8088"
