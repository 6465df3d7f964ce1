"""Prometheus sees every pod once, of both colours; and may decide for a new one."""

from tests.charts.edges import SERVICES
from tests.charts.rendering import UMBRELLA, Charts, Rendered

from chassis.errors import ErrorKind
from chassis.metrics import CHASSIS_METRICS
from chassis.rpc.status import CODES

COMPONENTS = (*SERVICES, "gateway", "dashboard")
MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"


def test_switched_off_nothing_needs_the_operators_kinds(minimal: Rendered) -> None:
    assert minimal.all("ServiceMonitor") == []
    assert minimal.all("AnalysisTemplate") == []
    assert not any(name.endswith("-metrics") for name in minimal.names("Service"))
    for rollout in minimal.all("Rollout"):
        assert not {"prePromotionAnalysis", "postPromotionAnalysis"} & set(rollout["spec"]["strategy"]["blueGreen"])


def test_each_pod_is_scraped_once_whatever_its_colour_and_role(production: Rendered) -> None:
    selectors = {
        service["metadata"]["name"]: service["spec"]["selector"]
        for service in production.all("Service")
        if service["metadata"]["labels"]["app.kubernetes.io/component"] == "metrics"
    }

    assert sorted(selectors) == sorted(f"aiops-{component}-metrics" for component in COMPONENTS)
    for pod in production.ours():
        scraping = [name for name, selector in selectors.items() if selector.items() <= pod.labels.items()]
        expected = [f"aiops-{pod.labels['app.kubernetes.io/name']}-metrics"]
        assert scraping == expected
        assert not any("rollouts-pod-template-hash" in selectors[name] for name in scraping)


def test_a_pod_that_is_not_ready_can_be_seen_to_be(production: Rendered) -> None:
    for component in COMPONENTS:
        service = production.one("Service", f"aiops-{component}-metrics")["spec"]

        assert (service["publishNotReadyAddresses"], service["clusterIP"]) == (True, "None")


def test_a_monitor_selects_its_metrics_service_alone_and_is_selected_itself(production: Rendered) -> None:
    for component in COMPONENTS:
        monitor = production.one("ServiceMonitor", f"aiops-{component}")
        wanted = monitor["spec"]["selector"]["matchLabels"]
        chosen = [
            service["metadata"]["name"]
            for service in production.all("Service")
            if wanted.items() <= service["metadata"]["labels"].items()
        ]

        assert chosen == [f"aiops-{component}-metrics"]
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["house"]}
        assert monitor["spec"]["endpoints"] == [{"port": "operations", "path": "/metrics", "interval": "30s"}]
        assert "rollouts-pod-template-hash" in monitor["spec"]["podTargetLabels"]


def test_a_migration_is_not_scraped(production: Rendered) -> None:
    ports = [pod.container.get("ports") for pod in production.ours() if pod.kind == "Job"]

    assert ports == [None] * 5


def test_with_a_prometheus_each_colour_is_measured_before_and_after(production: Rendered) -> None:
    for component in COMPONENTS:
        strategy = production.one("Rollout", f"aiops-{component}")["spec"]["strategy"]["blueGreen"]
        template = production.one("AnalysisTemplate", f"aiops-{component}-colour")["spec"]

        for moment in ("prePromotionAnalysis", "postPromotionAnalysis"):
            assert strategy[moment] == {
                "templates": [{"templateName": f"aiops-{component}-colour"}],
                "args": [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}],
            }
        measured = [metric["name"] for metric in template["metrics"]]
        assert measured == (["ready", "errors"] if component in SERVICES else ["ready"])
        assert template["args"] == [{"name": "hash"}]


def test_the_queries_name_the_metrics_that_there_are_and_the_new_colour(production: Rendered) -> None:
    known = {spec.name for spec in CHASSIS_METRICS}
    ready, errors = production.one("AnalysisTemplate", "aiops-logs-colour")["spec"]["metrics"]
    ours = sorted(CODES[kind].name for kind in (ErrorKind.INTERNAL, ErrorKind.UNAVAILABLE, ErrorKind.DEADLINE))
    of_the_colour = 'namespace="house",rollouts_pod_template_hash="{{args.hash}}"'

    assert {"aiops_ready", "aiops_rpc_server_requests_total"} <= known
    assert ready["provider"]["prometheus"] == {
        "address": "http://prometheus.monitoring:9090",
        "query": f"min(aiops_ready{{{of_the_colour}}})",
    }
    assert errors["provider"]["prometheus"]["query"] == (
        f"(sum(rate(aiops_rpc_server_requests_total{{{of_the_colour},"
        'code=~"INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED"}[2m])) or vector(0)) / '
        f"clamp_min(sum(rate(aiops_rpc_server_requests_total{{{of_the_colour}}}[2m])) or vector(0), 0.000001)"
    )
    assert ours == ["DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"]


def test_a_colour_that_nobody_measured_is_no_good_one(production: Rendered) -> None:
    ready, errors = production.one("AnalysisTemplate", "aiops-logs-colour")["spec"]["metrics"]

    assert ready["successCondition"] == "len(result) > 0 && result[0] == 1"
    assert ready["failureCondition"] == "len(result) > 0 && result[0] < 1"
    assert (errors["successCondition"], errors["failureCondition"]) == ("result[0] <= 0.01", "result[0] > 0.01")
    assert [(metric["initialDelay"], metric["interval"], metric["count"]) for metric in (ready, errors)] == [
        ("60s", "30s", 6)
    ] * 2


def test_an_analysis_without_monitors_is_refused(charts: Charts) -> None:
    said = charts.refusal({"global": {"analysis": {"prometheus": {"address": "http://p:9090"}}}}, MINIMAL)

    assert "Set global.monitoring.enabled=true" in said


def test_monitors_that_policies_would_blind_are_refused(charts: Charts) -> None:
    said = charts.refusal({"global": {"monitoring": {"enabled": True}}}, MINIMAL)

    assert "network policies keep Prometheus away. Set global.monitoring.from" in said


def test_without_policies_monitors_need_no_address(charts: Charts) -> None:
    rendered = charts.render(
        {"global": {"monitoring": {"enabled": True}, "networkPolicy": {"enabled": False}}}, MINIMAL
    )

    assert len(rendered.all("ServiceMonitor")) == 7
