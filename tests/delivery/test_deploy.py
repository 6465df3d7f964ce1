"""What dev/deploy.sh asks of a cluster, by programs that write down what they were asked: the outside world alone."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
# Answers from files that the test wrote; each call is appended to `asked`.
KUBECTL = """#!/usr/bin/env bash
echo "kubectl $*" >>"$WORLD/asked"
case "$*" in
  "config current-context") cat "$WORLD/context" 2>/dev/null ;;
  "get namespace "*) grep -Fx "$3" "$WORLD/namespaces" ;;
  *" get rollouts.argoproj.io "*) cat "$WORLD/rollouts" ;;
  *" get job.batch/"*) cat "$WORLD/ended" ;;
  *" apply "*) printf '%s created\n' serviceaccount/aiops-tickets-x job.batch/aiops-tickets-x ;;
  *" get "*/*) grep -Fx "${@: -1}" "$WORLD/objects" ;;
  *" patch rollouts.argoproj.io "*)
    grep -Fx "$5" "$WORLD/broken" >/dev/null && became=Degraded || became=Healthy
    sed -i "s/^$5 \\(.*\\) Paused$/$5 \\1 $became/" "$WORLD/rollouts" ;;
esac
"""
HELM = """#!/usr/bin/env bash
echo "helm $*" >>"$WORLD/asked"
[ "$1" != template ] || cat "$WORLD/rendered"
"""


@dataclass(frozen=True)
class World:
    folder: Path

    def write(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def asked(self) -> list[str]:
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def changes(self) -> list[str]:
        return [line for line in self.asked() if " patch " in line or line.startswith(("helm upgrade", "helm rollb"))]

    def run(self, command: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        names = ("ENVIRONMENT", "SERVICE", "VERSION", "REGISTRY", "VALUES", "NAMESPACE", "RELEASE", "CLUSTER")
        clean = {name: value for name, value in os.environ.items() if name not in names}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [ROOT / "dev" / "deploy.sh", command],
            env={**clean, "PATH": path, "WORLD": str(self.folder), "WAIT_SECONDS": "0", **(settings or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    (tmp_path / "bin").mkdir()
    for name, text in (("kubectl", KUBECTL), ("helm", HELM)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    made.write("context", "kind-aiops")
    made.write("broken")
    made.write("namespaces", "aiops")
    made.write("rendered", "kind: Rollout")
    members = (*SERVICES, "gateway", "shared")
    made.write("objects", *(f"secret/aiops-{member}" for member in members), "configmap/aiops-trust")
    made.write("rollouts", *(f"aiops-{name} 3 3 Paused" for name in ("ai", "auth", "dashboard", "gateway", "logs")))
    return made


def test_a_deployment_stops_at_the_preview(world: World) -> None:
    done = world.run("deploy", {"ENVIRONMENT": "prod", "VERSION": "1.4.0", "REGISTRY": "registry.example"})

    assert done.stderr == ""
    values = "--values charts/aiops/ci/production-values.yaml"
    images = "--set-string global.image.tag=1.4.0 --set-string global.image.registry=registry.example"
    assert world.changes() == [
        f"helm upgrade --install aiops charts/aiops --namespace aiops {values} {images} --timeout 0s"
    ]
    assert done.stdout.splitlines()[-1] == (
        "Ready as preview. It takes the traffic with: make promote ENVIRONMENT=prod"
    )


def test_a_version_may_be_given_as_its_tag(world: World) -> None:
    done = world.run("deploy", {"VERSION": "v1.4.0"})

    assert done.returncode == 0, done.stderr
    assert "global.image.tag=1.4.0 " in world.changes()[0]


def test_the_values_of_an_installation_come_last_and_win(world: World) -> None:
    world.run("deploy", {"VERSION": "1.4.0", "VALUES": "own.yaml"})

    assert "--values charts/aiops/ci/kind-values.yaml" in world.changes()[0]
    assert "--values own.yaml --timeout" in world.changes()[0]


def test_promotion_goes_to_services_first_and_the_doors_last(world: World) -> None:
    done = world.run("promote")

    patch = '--subresource status --type merge --patch {"status":{"pauseConditions":null}}'
    assert done.returncode == 0, done.stderr
    assert world.changes() == [
        f"kubectl --namespace aiops patch rollouts.argoproj.io aiops-{name} {patch}"
        for name in ("ai", "auth", "logs", "dashboard", "gateway")
    ]


def test_the_doors_wait_for_services_that_are_healthy(world: World) -> None:
    world.write("broken", "aiops-logs")

    done = world.run("promote", {"ENVIRONMENT": "prod"})

    assert done.returncode == 1
    assert done.stderr.startswith("Rollout aiops-logs is degraded; ")
    assert [line.split()[5] for line in world.changes()] == ["aiops-ai", "aiops-auth", "aiops-logs"]


def test_a_rollback_gives_the_release_before_the_traffic(world: World) -> None:
    done = world.run("rollback")

    assert done.returncode == 0, done.stderr
    assert world.changes()[0] == "helm rollback aiops --namespace aiops --timeout 0s"
    assert [line.split()[5] for line in world.changes()[1:]] == [
        f"aiops-{name}" for name in ("ai", "auth", "logs", "dashboard", "gateway")
    ]


def test_a_degraded_rollout_ends_the_deployment_and_says_how_to_go_back(world: World) -> None:
    world.write("rollouts", "aiops-auth 3 3 Paused", "aiops-logs 3 3 Degraded")

    done = world.run("deploy", {"ENVIRONMENT": "prod", "VERSION": "1.4.0"})

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Rollout aiops-logs is degraded; the version before it serves on.",
        "Why: kubectl --namespace aiops describe rollout aiops-logs. Back: make rollback ENVIRONMENT=prod",
    ]


def test_a_state_that_the_controller_has_not_seen_yet_does_not_count(world: World) -> None:
    world.write("rollouts", "aiops-auth 4 3 Healthy")

    done = world.run("deploy", {"VERSION": "1.4.0"})

    assert done.returncode == 1
    assert done.stderr.startswith("Not ready after 0 s: aiops-auth.\n")


@pytest.mark.parametrize(
    ("file", "settings", "told"),
    [
        ("", {"VERSION": ""}, "VERSION is ''; it is the tag of the images, such as VERSION=1.4.0."),
        ("", {"VERSION": "1;reboot"}, "VERSION is '1;reboot'; it is the tag of the images, such as VERSION=1.4.0."),
        ("", {"ENVIRONMENT": "production"}, "ENVIRONMENT is 'production'; it is one of kind, dev, prod."),
        (
            "context",
            {},
            "There is no kube context. Choose one (kubectl config use-context NAME), or set CLUSTER to an EKS cluster.",
        ),
        (
            "namespaces",
            {},
            "Context kind-aiops has no namespace 'aiops', or cannot be reached. See docs/runbooks/install.md.",
        ),
        ("rollouts", {}, "There is no rollout of the release aiops in namespace aiops."),
    ],
)
def test_what_is_missing_is_told(world: World, file: str, settings: Mapping[str, str], told: str) -> None:
    if file:
        (world.folder / file).write_text("")
    if file == "context":
        (world.folder / file).unlink()

    done = world.run("deploy", {"VERSION": "1.4.0", **settings})

    assert (done.returncode, done.stderr.splitlines()[0]) == (1, told)
    assert [change for change in world.changes() if file != "rollouts"] == []


def test_a_missing_secret_is_named_with_the_command_that_makes_it(world: World) -> None:
    objects = (world.folder / "objects").read_text()
    (world.folder / "objects").write_text(objects.replace("secret/aiops-ai\n", "").replace("configmap/", "nothing/"))

    done = world.run("deploy", {"VERSION": "1.4.0"})

    assert done.stderr.splitlines() == [
        "Namespace aiops lacks secret/aiops-ai configmap/aiops-trust.",
        "Make them: aiops secrets generate --kubernetes --namespace aiops | kubectl create -f -",
    ]
    assert world.changes() == []


def test_secrets_that_come_from_outside_are_not_missing(world: World) -> None:
    world.write("objects")
    world.write("rendered", "kind: ExternalSecret")

    done = world.run("deploy", {"ENVIRONMENT": "prod", "VERSION": "1.4.0"})

    assert done.returncode == 0, done.stderr


def test_a_backfill_runs_with_the_values_of_the_release_and_leaves_nothing(world: World) -> None:
    world.write("ended", "Complete")

    done = world.run("backfill", {"SERVICE": "tickets"})

    asked = world.asked()
    rendered, applied, *_ = [line for line in asked if line.startswith("helm template") or " apply " in line]
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("helm get values aiops --namespace aiops --all") for line in asked)
    assert rendered.endswith("--set global.migrations.phase=backfill")
    assert "--selector app.kubernetes.io/component=migrate,app.kubernetes.io/name in (tickets) " in applied
    assert asked[-1] == (
        "kubectl --namespace aiops delete --ignore-not-found serviceaccount/aiops-tickets-x job.batch/aiops-tickets-x"
    )


def test_a_refused_contraction_fails_with_its_words_and_leaves_nothing(world: World) -> None:
    world.write("ended", "Failed")

    refused = world.run("contract", {"SERVICE": "tickets,logs"})

    assert (refused.returncode, "Not done: job.batch/aiops-tickets-x." in refused.stderr) == (1, True)
    assert any(line.endswith(" logs job.batch/aiops-tickets-x") for line in world.asked())
    assert " delete " in world.asked()[-1]


def test_a_contraction_needs_names(world: World) -> None:
    refused = world.run("contract")

    assert (refused.returncode, "name the services, such as SERVICE=tickets" in refused.stderr) == (1, True)
    assert world.asked() == []
