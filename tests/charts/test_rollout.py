"""Serving pods are released blue/green; workers, which nobody calls, the ordinary way."""

import pytest
from tests.charts.edges import SERVICES
from tests.charts.rendering import UMBRELLA, Charts, Rendered

COMPONENTS = (*SERVICES, "gateway", "dashboard")
MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"


def test_every_component_serves_from_a_rollout_and_only_services_work(supported: Rendered) -> None:
    workers = [pod.name for pod in supported.ours() if pod.labels["app.kubernetes.io/component"] == "work"]

    assert supported.names("Rollout") == sorted(f"aiops-{component}" for component in COMPONENTS)
    assert sorted(workers) == sorted(f"aiops-{service}-work" for service in SERVICES)
    assert {pod.kind for pod in supported.ours() if pod.name in workers} == {"Deployment"}


@pytest.mark.parametrize("component", COMPONENTS)
def test_both_colours_have_a_service_that_selects_the_serving_pods(supported: Rendered, component: str) -> None:
    name = f"aiops-{component}"
    rollout = supported.one("Rollout", name)["spec"]
    strategy = rollout["strategy"]["blueGreen"]
    active, preview = (supported.one("Service", strategy[f"{colour}Service"]) for colour in ("active", "preview"))

    assert (active["metadata"]["name"], preview["metadata"]["name"]) == (name, f"{name}-preview")
    assert active["spec"] == preview["spec"]
    assert active["spec"]["selector"] == rollout["selector"]["matchLabels"]
    assert rollout["selector"]["matchLabels"].items() <= rollout["template"]["metadata"]["labels"].items()


def test_the_ports_of_a_service_are_those_of_its_pods(supported: Rendered) -> None:
    for component in COMPONENTS:
        pod = supported.pod("Rollout", f"aiops-{component}")
        listening = {port["name"]: port["containerPort"] for port in pod.container["ports"]}
        for port in supported.one("Service", f"aiops-{component}")["spec"]["ports"]:
            assert listening[port["targetPort"]] == port["port"]


def test_a_worker_is_in_no_service_that_takes_calls(supported: Rendered) -> None:
    workers = [pod for pod in supported.ours() if pod.labels["app.kubernetes.io/component"] == "work"]
    selectors = [
        service["spec"]["selector"] for service in supported.all("Service") if service["spec"].get("clusterIP") is None
    ]

    assert len(workers) == 5
    assert [pod.name for pod in workers for selector in selectors if selector.items() <= pod.labels.items()] == []


def test_two_pods_of_each_when_nothing_is_said(charts: Charts, minimal: Rendered) -> None:
    rendered = charts.render()

    assert {rollout["spec"]["replicas"] for rollout in rendered.all("Rollout")} == {2}
    assert {rollout["spec"]["replicas"] for rollout in minimal.all("Rollout")} == {1}


def test_a_new_version_takes_the_traffic_by_itself_unless_a_person_shall_give_it(
    minimal: Rendered, production: Rendered
) -> None:
    def promoted(rendered: Rendered) -> set[bool]:
        return {each["spec"]["strategy"]["blueGreen"]["autoPromotionEnabled"] for each in rendered.all("Rollout")}

    assert promoted(minimal) == {True}
    assert promoted(production) == {False}


def test_a_component_can_be_promoted_otherwise_than_the_rest(charts: Charts) -> None:
    rendered = charts.render(
        {
            "global": {"rollout": {"autoPromotion": True, "scaleDownDelaySeconds": 120}},
            "gateway": {"rollout": {"autoPromotion": False}},
        },
        MINIMAL,
    )

    strategies = {each["metadata"]["name"]: each["spec"]["strategy"]["blueGreen"] for each in rendered.all("Rollout")}
    waiting = [name for name, strategy in strategies.items() if not strategy["autoPromotionEnabled"]]
    assert waiting == ["aiops-gateway"]
    assert {strategy["scaleDownDelaySeconds"] for strategy in strategies.values()} == {120}


def test_the_old_colour_outlives_every_connection_to_it(supported: Rendered) -> None:
    from chassis.rpc.server import ServerOptions  # noqa: PLC0415

    options = ServerOptions()
    for rollout in supported.all("Rollout"):
        delay = rollout["spec"]["strategy"]["blueGreen"]["scaleDownDelaySeconds"]

        assert delay > options.connection_age_seconds


def test_a_version_that_does_not_get_ready_is_given_up(supported: Rendered) -> None:
    for rollout in supported.all("Rollout"):
        startup = supported.pod("Rollout", rollout["metadata"]["name"]).environment["AIOPS_STARTUP_SECONDS"]

        assert rollout["spec"]["progressDeadlineAbort"] is True
        assert rollout["spec"]["progressDeadlineSeconds"] == int(startup) + 240


def test_workers_are_replaced_without_a_gap(supported: Rendered) -> None:
    for service in SERVICES:
        strategy = supported.one("Deployment", f"aiops-{service}-work")["spec"]["strategy"]

        assert strategy == {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_each_role_is_told_to_the_process(supported: Rendered) -> None:
    arguments = {pod.name: pod.container.get("args") for pod in supported.ours() if pod.kind != "Job"}

    assert arguments == {
        **{f"aiops-{service}": ["serve"] for service in SERVICES},
        **{f"aiops-{service}-work": ["work"] for service in SERVICES},
        "aiops-gateway": None,
        "aiops-dashboard": ["pages"],
    }


def test_images_are_those_of_the_version_and_the_registry(
    charts: Charts, minimal: Rendered, production: Rendered
) -> None:
    tagged = charts.render({"global": {"image": {"registry": "local:5000/x", "tag": "1.2.3"}}}, MINIMAL)

    assert {pod.container["image"] for pod in minimal.ours()} == {
        f"aiops-{component}:0.1.0" for component in (*COMPONENTS, "migrate")
    }
    assert minimal.pod("Rollout", "aiops-ai").container["image"] == "aiops-ai:0.1.0"
    assert production.pod("Deployment", "aiops-ai-work").container["image"] == (
        "registry.example.com/aiops/aiops-ai:0.1.0"
    )
    assert tagged.pod("Rollout", "aiops-gateway").container["image"] == "local:5000/x/aiops-gateway:1.2.3"


def test_pods_are_spread_where_that_is_possible(supported: Rendered) -> None:
    for pod in supported.ours():
        if pod.kind != "Job":
            spread = pod.spec["topologySpreadConstraints"]

            assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
            assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
            assert all(each["labelSelector"]["matchLabels"].items() <= pod.labels.items() for each in spread)


def test_where_pods_run_is_handed_on(charts: Charts) -> None:
    toleration = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
    placed = {"priorityClassName": "high", "nodeSelector": {"pool": "apps"}, "tolerations": [toleration]}

    rendered = charts.render({"global": {**placed, "imagePullSecrets": ["registry"]}}, MINIMAL)

    for pod in rendered.ours():
        assert {key: pod.spec[key] for key in placed} == placed
        assert pod.spec["imagePullSecrets"] == [{"name": "registry"}]
