#!/usr/bin/env bash
# Brings a version to the cluster of the current kube context, by blue/green.
#
#   dev/deploy.sh deploy     migrate (expand), start the new colour beside the old one, wait until it is ready
#   dev/deploy.sh promote    hand the traffic to the new colour
#   dev/deploy.sh backfill   fill what the new version added for rows of before; after the promotion, for as long as it takes
#   dev/deploy.sh contract   take away what no version needs any more; for good, and refused while one does
#   dev/deploy.sh rollback   back to the release before, traffic included
#   dev/deploy.sh status     what each rollout says of itself
#
# ENVIRONMENT  kind, dev or prod: which of the values files under charts/aiops/ci/ (default kind)
# VERSION      tag of the images to deploy
# REGISTRY     where the images are, without a slash at its end; none for images that the nodes have
# VALUES       more values files, separated by commas, which win over the environment's: what this installation is like
# NAMESPACE    default aiops; RELEASE: default aiops
# SERVICE      for backfill and contract: the services, separated by commas; contract needs it
# CLUSTER      name of an EKS cluster to make a kubeconfig for first; without it the current context counts
# WAIT_SECONDS how long a new colour may take to be ready (default 600)
set -euo pipefail
cd "$(dirname "$0")/.."

command="${1:-}"
environment="${ENVIRONMENT:-kind}"
namespace="${NAMESPACE:-aiops}"
release="${RELEASE:-aiops}"
wait_seconds="${WAIT_SECONDS:-600}"
chart=charts/aiops
ours="app.kubernetes.io/instance=$release"
line='{.metadata.name}{" "}{.metadata.generation}{" "}{.status.observedGeneration}{" "}{.status.phase}{"\n"}'
doors="-(gateway|dashboard) " # whose rollouts a new version reaches last
services=(auth logs tickets changelog ai)

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

case "$environment" in
  kind) values=$chart/ci/kind-values.yaml ;;
  dev) values=$chart/ci/minimal-values.yaml ;;
  prod) values=$chart/ci/production-values.yaml ;;
  *) fail "ENVIRONMENT is '$environment'; it is one of kind, dev, prod." ;;
esac

require() {
  for tool in "$@"; do
    command -v "$tool" >/dev/null || fail "$tool is not installed; this needs $*."
  done
}

find_cluster() {
  if [ -n "${CLUSTER:-}" ]; then
    require aws
    mkdir -p build
    export KUBECONFIG="$PWD/build/kubeconfig"
    aws eks update-kubeconfig --name "$CLUSTER" --kubeconfig "$KUBECONFIG" >/dev/null
  fi
  context=$(kubectl config current-context 2>/dev/null) \
    || fail "There is no kube context. Choose one (kubectl config use-context NAME), or set CLUSTER to an EKS cluster."
  kubectl get namespace "$namespace" >/dev/null 2>&1 \
    || fail "Context $context has no namespace '$namespace', or cannot be reached. See docs/runbooks/install.md."
}

# What the charts mount and nobody has made yet; where ExternalSecrets make them, nothing is missing beforehand.
check_secrets() {
  helm template "$release" "$chart" "${options[@]}" | grep '^kind: ExternalSecret$' >/dev/null && return
  local missing=() name
  for name in "${services[@]/#/secret/aiops-}" secret/aiops-gateway secret/aiops-shared configmap/aiops-trust; do
    kubectl --namespace "$namespace" get "$name" >/dev/null 2>&1 || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] || fail "Namespace $namespace lacks ${missing[*]}." \
    "Make them: aiops secrets generate --kubernetes --namespace $namespace | kubectl create -f -"
}

# One line for each rollout: name, generation, generation that the controller has seen, phase.
rollouts() {
  kubectl --namespace "$namespace" get rollouts.argoproj.io --selector "$ours" \
    --output "jsonpath={range .items[*]}$line{end}"
}

# Waits until every rollout whose line matches is in one of the phases; a degraded one ends the wait.
wait_for() {
  local phases="$1" matching="${2:-}" deadline=$((SECONDS + wait_seconds)) listed name wanted seen phase waiting
  while true; do
    listed=$(rollouts)
    [ -n "$listed" ] || fail "There is no rollout of the release $release in namespace $namespace."
    waiting=""
    while read -r name wanted seen phase; do
      if [ "$wanted" = "$seen" ] && [ "$phase" = Degraded ]; then
        fail "Rollout $name is degraded; the version before it serves on." \
          "Why: kubectl --namespace $namespace describe rollout $name. Back: make rollback ENVIRONMENT=$environment"
      fi
      [ "$wanted" = "$seen" ] && [[ " $phases " == *" $phase "* ]] || waiting+=" $name"
    done < <(grep -E -e "$matching" <<<"$listed")
    [ -z "$waiting" ] && return
    [ $SECONDS -lt $deadline ] || fail "Not ready after $wait_seconds s:$waiting." \
      "Why: kubectl --namespace $namespace describe rollout${waiting%% *}. Back: make rollback ENVIRONMENT=$environment"
    sleep 3
  done
}

# Rollouts for the calls, and ordinary Deployments for the workers, which take none.
wait_ready() {
  wait_for "Healthy Paused"
  kubectl --namespace "$namespace" rollout status deployment --selector "$ours" --timeout "${wait_seconds}s" >/dev/null
}

promote() {
  local name phase
  while read -r name _ _ phase; do
    [ "$phase" != Paused ] || kubectl --namespace "$namespace" patch rollouts.argoproj.io "$name" \
      --subresource status --type merge --patch '{"status":{"pauseConditions":null}}'
  done < <(rollouts | grep -E "$@")
}

# The services first and the doors last: a new gateway may ask for what only new services know.
promote_all() {
  promote -v -e "$doors"
  wait_for Healthy "-(auth|logs|tickets|changelog|ai) "
  promote -e "$doors"
  wait_for Healthy
}

# A phase of the migrations as Jobs with the values of the release, one for each service; taken away again at the end.
run_phase() {
  local phase="$1" names job jobs=() failed=""
  names="app.kubernetes.io/component=migrate,app.kubernetes.io/name in ($(IFS=,; echo "${SERVICE:-${services[*]}}"))"
  work=$(mktemp -d)
  trap take_away EXIT
  helm get values "$release" --namespace "$namespace" --all --output yaml >"$work/values.yaml"
  helm template "$release" "$chart" --namespace "$namespace" --values "$work/values.yaml" \
    --set "global.migrations.phase=$phase" >"$work/all.yaml"
  kubectl --namespace "$namespace" apply --selector "$names" --filename "$work/all.yaml" >"$work/applied"
  while read -r job _; do jobs+=("$job"); done < <(grep '^job' "$work/applied")
  [ ${#jobs[@]} -gt 0 ] || fail "There is no service ${SERVICE:-}. There are: ${services[*]}."
  for job in "${jobs[@]}"; do
    until [ -n "$(ended "$job")" ]; do sleep 3; done
    kubectl --namespace "$namespace" logs "$job" || true
    [ "$(ended "$job")" = Complete ] || failed+=" $job"
  done
  [ -z "$failed" ] || fail "Not done:$failed. What it said stands above; docs/runbooks/migrate.md tells what to do."
}

take_away() {
  cut -d' ' -f1 "$work/applied" | xargs -r kubectl --namespace "$namespace" delete --ignore-not-found >/dev/null
  rm -rf "$work"
}

# "Complete" or "Failed" of a Job that has ended.
ended() {
  kubectl --namespace "$namespace" get "$1" \
    --output 'jsonpath={.status.conditions[?(@.status=="True")].type}' | grep -oE 'Complete|Failed' | head -1 || true
}

case "$command" in
  deploy)
    require helm kubectl
    version="${VERSION:-}"
    version="${version#v}"
    [[ "$version" =~ ^[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}$ ]] \
      || fail "VERSION is '$version'; it is the tag of the images, such as VERSION=1.4.0."
    find_cluster
    options=(--namespace "$namespace" --values "$values" --set-string "global.image.tag=$version")
    [ -z "${REGISTRY:-}" ] || options+=(--set-string "global.image.registry=$REGISTRY")
    [ -z "${VALUES:-}" ] || options+=(--values "$VALUES")
    check_secrets
    echo "$release $version to context $context, namespace $namespace, with $values${VALUES:+ and $VALUES}"
    helm upgrade --install "$release" "$chart" "${options[@]}" --timeout "${wait_seconds}s"
    wait_ready
    if rollouts | grep ' Paused$' >/dev/null; then
      echo "Ready as preview. It takes the traffic with: make promote ENVIRONMENT=$environment"
    else
      echo "Ready, with the traffic."
    fi
    ;;
  promote)
    require kubectl
    find_cluster
    promote_all
    echo "Every rollout is healthy, with the traffic."
    ;;
  backfill | contract)
    require helm kubectl
    [ "$command" != contract ] || [ -n "${SERVICE:-}" ] \
      || fail "It cannot be undone: name the services, such as SERVICE=tickets or SERVICE=tickets,logs."
    find_cluster
    run_phase "$command"
    ;;
  rollback)
    require helm kubectl
    find_cluster
    helm rollback "$release" --namespace "$namespace" --timeout "${wait_seconds}s"
    wait_ready
    promote_all
    echo "The release before has the traffic. The schema stays as it is: that release works on it."
    ;;
  status)
    require kubectl
    find_cluster
    rollouts
    ;;
  *)
    fail "usage: dev/deploy.sh deploy|promote|backfill|contract|rollback|status"
    ;;
esac
