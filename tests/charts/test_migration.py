"""The schema is there before the new colour is."""

from pathlib import Path

import pytest
from tests.charts.edges import SERVICES
from tests.charts.rendering import UMBRELLA, Charts, Object, Rendered

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
HOOK, WEIGHT, DELETED = "helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy"


def annotations(thing: Object) -> dict[str, str]:
    found: dict[str, str] = thing["metadata"].get("annotations", {})
    return found


def test_gateway_and_dashboard_have_nothing_to_migrate(supported: Rendered) -> None:
    migrated = {
        pod.labels["app.kubernetes.io/name"]
        for pod in supported.ours()
        if pod.labels["app.kubernetes.io/component"] == "migrate"
    }

    assert migrated - {"bootstrap"} == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_it_runs_the_expand_phase_as_the_owner_and_knows_nothing_else(minimal: Rendered, service: str) -> None:
    pod = minimal.pod("Job", f"aiops-{service}-migrate")

    assert pod.container["command"] == ["aiops", "migrate", "expand", service]
    assert pod.environment == {"AIOPS_SECRETS_FOLDER": "/etc/aiops"}
    assert pod.files == {f"{service.upper()}_OWNER_DATABASE_URL": ("secret", f"aiops-{service}", "owner-database-url")}


def test_nothing_that_runs_knows_the_owner(supported: Rendered) -> None:
    for pod in supported.ours():
        if pod.labels["app.kubernetes.io/component"] != "migrate":
            assert "owner" not in str(pod.spec).lower()


def test_as_a_hook_it_runs_before_anything_of_the_new_version(minimal: Rendered, production: Rendered) -> None:
    for rendered in (minimal, production):
        for service in SERVICES:
            job = rendered.one("Job", f"aiops-{service}-migrate")

            assert annotations(job)[HOOK] == "pre-install,pre-upgrade"
            assert annotations(job)[DELETED] == "before-hook-creation,hook-succeeded"
            assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
            assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (3, 600)


def test_what_the_hook_needs_is_a_hook_that_comes_before_it(production: Rendered) -> None:
    for service in SERVICES:
        name = f"aiops-{service}-migrate"
        needs = [production.one(kind, name) for kind in ("ServiceAccount", "NetworkPolicy", "ExternalSecret")]
        job = int(annotations(production.one("Job", name))[WEIGHT])

        for thing in needs:
            assert annotations(thing)[HOOK] == "pre-install,pre-upgrade"
            assert int(annotations(thing)[WEIGHT]) < job


def test_nothing_else_is_a_hook(supported: Rendered) -> None:
    hooks = {thing["metadata"]["name"] for thing in supported.objects if HOOK in annotations(thing)}

    assert hooks in ({f"aiops-{service}-migrate" for service in SERVICES}, set())


def test_beside_engines_of_the_release_it_is_an_ordinary_job_with_a_new_name_each_time(kind: Rendered) -> None:
    for service in SERVICES:
        job = kind.one("Job", f"aiops-{service}-migrate-1")

        assert annotations(job) == {}
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"
        assert job["spec"]["backoffLimit"] == 20
        assert kind.one("NetworkPolicy", f"aiops-{service}-migrate")["spec"]["podSelector"]["matchLabels"].items() <= (
            job["spec"]["template"]["metadata"]["labels"].items()
        )


def test_its_patience_can_be_set(charts: Charts) -> None:
    rendered = charts.render({"global": {"migrations": {"timeoutSeconds": 1800}}}, MINIMAL)

    assert {job["spec"]["activeDeadlineSeconds"] for job in rendered.all("Job")} == {1800}


def only(charts: Charts, phase: str, *values: Path) -> Rendered:
    return charts.render({"global": {"migrations": {"phase": phase}}}, *values)


@pytest.mark.parametrize("service", SERVICES)
def test_a_backfill_is_no_hook_and_knows_the_key_that_histories_are_sealed_with(charts: Charts, service: str) -> None:
    rendered = only(charts, "backfill", MINIMAL)

    job, pod = rendered.one("Job", f"aiops-{service}-backfill"), rendered.pod("Job", f"aiops-{service}-backfill")
    assert annotations(job) == {}
    assert (job["spec"]["backoffLimit"], "activeDeadlineSeconds" in job["spec"]) == (0, False)
    assert pod.container["command"] == ["aiops", "migrate", "backfill", service]
    assert pod.environment["AIOPS_REDACTION_KEY_FILE"] == "/etc/aiops/redaction.key"
    assert pod.files["redaction.key"] == ("secret", "aiops-shared", "redaction.key")
    assert rendered.one("NetworkPolicy", f"aiops-{service}-backfill")
    assert rendered.one("ServiceAccount", f"aiops-{service}-backfill")


def test_a_contraction_says_yes_and_is_never_part_of_a_release(charts: Charts, supported: Rendered) -> None:
    rendered = only(charts, "contract", MINIMAL)

    assert rendered.pod("Job", "aiops-tickets-contract").container["command"] == [
        "aiops",
        "migrate",
        "contract",
        "tickets",
        "--yes",
    ]
    released = [str(pod.container.get("command")) for pod in supported.ours()]
    assert not any("contract" in command or "backfill" in command for command in released)


def test_all_that_a_phase_needs_can_be_told_from_the_release(charts: Charts) -> None:
    rendered = only(charts, "backfill", UMBRELLA / "ci" / "production-values.yaml")

    names = {
        (thing["kind"], thing["metadata"]["name"])
        for thing in rendered.objects
        if thing["metadata"]["labels"].get("app.kubernetes.io/component") == "migrate"
    }
    kinds = ("ServiceAccount", "NetworkPolicy", "ExternalSecret", "Job")
    assert names == {(kind, f"aiops-{service}-backfill") for kind in kinds for service in SERVICES}
