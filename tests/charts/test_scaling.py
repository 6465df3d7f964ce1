"""How many pods there are, and how many may go at once."""

import pytest
from tests.charts.edges import SERVICES
from tests.charts.rendering import UMBRELLA, Charts, Rendered

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"


def test_switched_off_nothing_scales_and_the_number_is_fixed(minimal: Rendered) -> None:
    assert minimal.all("HorizontalPodAutoscaler") == []
    assert all("replicas" in rollout["spec"] for rollout in minimal.all("Rollout"))


def test_switched_on_it_scales_the_rollout_which_has_no_number_of_its_own(production: Rendered) -> None:
    scaled = production.names("HorizontalPodAutoscaler")
    gateway = production.one("HorizontalPodAutoscaler", "aiops-gateway")["spec"]

    assert scaled == ["aiops-auth", "aiops-gateway", "aiops-logs"]
    assert gateway == {
        "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "aiops-gateway"},
        "minReplicas": 3,
        "maxReplicas": 12,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            }
        ],
    }
    for rollout in production.all("Rollout"):
        assert ("replicas" in rollout["spec"]) == (rollout["metadata"]["name"] not in scaled)


def test_what_is_scaled_by_its_use_asks_for_what_the_use_is_measured_against(production: Rendered) -> None:
    for name in production.names("HorizontalPodAutoscaler"):
        assert "cpu" in production.pod("Rollout", name).container["resources"]["requests"]


def test_workers_have_their_own_number(production: Rendered, minimal: Rendered) -> None:
    for service in SERVICES:
        assert production.one("Deployment", f"aiops-{service}-work")["spec"]["replicas"] == 2
        assert minimal.one("Deployment", f"aiops-{service}-work")["spec"]["replicas"] == 1


def test_a_drain_of_nodes_takes_one_pod_of_each_role_at_a_time(charts: Charts, supported: Rendered) -> None:
    wider = charts.render({"gateway": {"disruption": {"maxUnavailable": 2}}}, MINIMAL)
    roles = [pod for pod in supported.ours() if pod.kind != "Job"]

    budgets = supported.all("PodDisruptionBudget")

    assert sorted(budget["metadata"]["name"] for budget in budgets) == sorted(pod.name for pod in roles)
    for pod in roles:
        budget = supported.one("PodDisruptionBudget", pod.name)["spec"]
        assert budget["maxUnavailable"] == 1
        assert "minAvailable" not in budget
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        chosen = [each for each in roles if budget["selector"]["matchLabels"].items() <= each.labels.items()]
        assert [each.name for each in chosen] == [pod.name]
    assert wider.one("PodDisruptionBudget", "aiops-gateway")["spec"]["maxUnavailable"] == 2


@pytest.mark.parametrize(
    ("component", "values"),
    [
        ("auth", {"replicas": 3, "autoscaling": {"enabled": True}}),
        ("gateway", {"replicas": 1, "autoscaling": {"enabled": True}}),
    ],
)
def test_a_fixed_number_beside_autoscaling_is_refused(
    charts: Charts, component: str, values: dict[str, object]
) -> None:
    said = charts.refusal({component: values})

    assert f"The values contradict each other:\n- {component}: replicas is set and autoscaling.enabled is true" in said
    assert (
        "Leave replicas out (replicas: null undoes what another file says), or set autoscaling.enabled=false." in said
    )


def test_a_number_that_another_file_fixes_can_be_undone(charts: Charts) -> None:
    rendered = charts.render({"auth": {"replicas": None, "autoscaling": {"enabled": True}}}, MINIMAL)

    assert "replicas" not in rendered.one("Rollout", "aiops-auth")["spec"]
    assert rendered.names("HorizontalPodAutoscaler") == ["aiops-auth"]


def test_more_pods_at_least_than_at_most_are_refused(charts: Charts) -> None:
    said = charts.refusal({"logs": {"autoscaling": {"enabled": True, "minReplicas": 9}}})

    assert (
        "logs: autoscaling.minReplicas is 9, more than autoscaling.maxReplicas, which is 6. Raise maxReplicas." in said
    )
