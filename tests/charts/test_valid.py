"""What the charts make is what Kubernetes and the operators know, to the last field."""

import copy
from pathlib import Path

import pytest
from tests.charts.rendering import CHARTS, NEWEST, OLDEST, SUPPORTED, Charts, Rendered
from tests.charts.validation import as_deployment, core_errors, custom_errors, is_core

COMPONENTS = sorted(folder.name for folder in CHARTS.iterdir() if (folder / "Chart.yaml").is_file())


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field_of_its_own_kinds(supported: Rendered, version: str) -> None:
    things = [thing for thing in supported.objects if is_core(thing)]
    things += [as_deployment(rollout) for rollout in supported.all("Rollout")]

    errors = [error for thing in things for error in core_errors(thing, version)]

    assert len(things) > 60
    assert errors == []


def test_the_operators_know_every_field_of_theirs(supported: Rendered, crds: Path) -> None:
    things = [thing for thing in supported.objects if not is_core(thing)]

    errors = [error for thing in things for error in custom_errors(thing, crds)]

    assert len(things) >= 7
    assert errors == []


def test_production_uses_every_custom_kind(production: Rendered) -> None:
    kinds = {thing["kind"] for thing in production.objects if not is_core(thing)}

    assert kinds == {"Rollout", "AnalysisTemplate", "ServiceMonitor", "ExternalSecret"}


def test_a_misspelt_field_would_be_seen(minimal: Rendered) -> None:
    service = copy.deepcopy(minimal.one("Service", "aiops-auth"))
    deployment = copy.deepcopy(minimal.one("Deployment", "aiops-auth-work"))

    service["spec"]["ports"][0]["tragetPort"] = 1
    deployment["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}

    for thing in (service, deployment):
        assert len(core_errors(thing, OLDEST)) == len(core_errors(thing, NEWEST)) == 1


def test_a_misspelt_field_of_a_custom_kind_would_be_seen(production: Rendered, crds: Path) -> None:
    def spoilt(kind: str, name: str, *path: str) -> list[str]:
        thing = copy.deepcopy(production.one(kind, name))
        place = thing["spec"]
        for step in path[:-1]:
            place = place[int(step)] if step.isdigit() else place[step]
        place[path[-1]] = "x"
        return custom_errors(thing, crds)

    assert len(spoilt("Rollout", "aiops-auth", "strategy", "blueGreen", "activService")) == 1
    assert len(spoilt("Rollout", "aiops-auth", "template", "spec", "containers", "0", "imagePullPolice")) == 1
    assert len(spoilt("AnalysisTemplate", "aiops-auth-colour", "metrics", "0", "provider", "prometheus", "adress")) == 1
    assert len(spoilt("ServiceMonitor", "aiops-auth", "endpoints", "0", "intervall")) == 1
    assert len(spoilt("ExternalSecret", "aiops-auth", "target", "creationpolicy")) == 1


@pytest.mark.parametrize("chart", COMPONENTS)
def test_each_chart_passes_helms_own_lint(charts: Charts, chart: str) -> None:
    done = charts.run("lint", "--strict", str(CHARTS / chart))

    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("file", SUPPORTED, ids=lambda file: file.stem)
def test_each_supported_values_file_passes_helms_own_lint(charts: Charts, file: Path) -> None:
    done = charts.run("lint", "--strict", str(CHARTS / "aiops"), "--values", str(file))

    assert done.returncode == 0, done.stdout


def test_equal_values_make_equal_objects(charts: Charts) -> None:
    once, again = (
        charts.template(None, SUPPORTED[-1], chart="aiops", release="aiops", kubernetes=NEWEST) for _ in range(2)
    )

    assert once.stdout == again.stdout != ""


def test_a_cluster_older_than_the_oldest_supported_is_refused(charts: Charts) -> None:
    old = charts.template(None, SUPPORTED[0], chart="aiops", release="aiops", kubernetes="1.30")
    oldest = charts.template(None, SUPPORTED[0], chart="aiops", release="aiops", kubernetes=OLDEST)

    assert old.returncode == 1
    assert ">=1.31.0-0" in old.stderr
    assert oldest.returncode == 0
