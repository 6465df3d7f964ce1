"""Nobody reaches anybody, but by the edges that the code has."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.charts.edges import SERVICES, edges_of_code
from tests.charts.rendering import UMBRELLA, Charts, Object, Rendered

Way = tuple[str, str, str, str, int]
"""From component and role, to component and role, at a port."""
PORTS = {"auth": 8101, "logs": 8102, "tickets": 8103, "changelog": 8104, "ai": 8105}
ROLES = [*((service, role) for service in SERVICES for role in ("serve", "work")), ("gateway", "serve")]
DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def member(selector: Object) -> tuple[str, str] | None:
    labels = selector.get("podSelector", {}).get("matchLabels", {})
    if labels.get("app.kubernetes.io/part-of") != "aiops" or "app.kubernetes.io/component" not in labels:
        return None
    return labels["app.kubernetes.io/name"], labels["app.kubernetes.io/component"]


def ways(rendered: Rendered, direction: str) -> Iterator[Way]:
    """What policies open between pods of ours, seen from the one side."""
    for policy in rendered.all("NetworkPolicy"):
        own = member({"podSelector": policy["spec"]["podSelector"]})
        for rule in policy["spec"].get(direction, ()):
            for peer in rule.get("from" if direction == "ingress" else "to", ()):
                other = member(peer)
                if own and other:
                    first, last = (other, own) if direction == "ingress" else (own, other)
                    for port in rule["ports"]:
                        yield *first, *last, port["port"]


def opened(rendered: Rendered, name: str, direction: str) -> list[Any]:
    rules: list[Any] = rendered.one("NetworkPolicy", name)["spec"][direction]
    return rules


def test_switched_off_nothing_is_there(charts: Charts) -> None:
    rendered = charts.render({"global": {"networkPolicy": {"enabled": False}}}, UMBRELLA / "ci" / "kind-values.yaml")

    assert rendered.all("NetworkPolicy") == []


def test_every_pod_is_shut_unless_something_opens_it(supported: Rendered) -> None:
    shut = supported.one("NetworkPolicy", "aiops-default-deny")["spec"]

    assert shut == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "aiops"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    for pod in supported.pods():
        assert pod.labels["app.kubernetes.io/part-of"] == "aiops"


def test_every_pod_has_a_policy_of_its_own_for_both_directions(supported: Rendered) -> None:
    policies = [policy["spec"] for policy in supported.all("NetworkPolicy")]
    for pod in supported.pods():
        selecting = [
            policy
            for policy in policies
            if len(policy["podSelector"]["matchLabels"]) > 1
            and policy["podSelector"]["matchLabels"].items() <= pod.labels.items()
        ]

        assert len(selecting) == 1, pod.name
        assert selecting[0]["policyTypes"] == ["Ingress", "Egress"]


def test_the_edges_are_those_of_the_code(supported: Rendered) -> None:
    calls = {(caller, role, callee, "serve", PORTS[callee]) for caller, role, callee in edges_of_code()}
    verifiers = {(name, "serve", "auth", "serve", 8201) for name in (*SERVICES[1:], "gateway")}
    engines = {"postgres", "nats"}

    going = {way for way in ways(supported, "egress") if way[2] not in engines}
    coming = {way for way in ways(supported, "ingress") if way[2] not in engines}

    assert len(calls) == 13
    assert going == calls | verifiers
    assert coming == calls | verifiers


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_names_are_looked_up_at_the_clusters_dns_alone(minimal: Rendered, name: str, role: str) -> None:
    rules = opened(minimal, f"aiops-{name}" + ("-work" if role == "work" else ""), "egress")

    assert [rule for rule in rules if {"protocol": "UDP", "port": 53} in rule["ports"]] == [DNS]


def test_services_reach_postgres_and_workers_and_whoever_hears_of_access_nats(production: Rendered) -> None:
    postgres = {"ports": [{"protocol": "TCP", "port": 5432}], "to": [{"ipBlock": {"cidr": "10.0.64.0/20"}}]}
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "nats"}}}]
    client, monitor = {"protocol": "TCP", "port": 4222}, {"protocol": "TCP", "port": 8222}

    for name, role in ROLES:
        rules = opened(production, f"aiops-{name}" + ("-work" if role == "work" else ""), "egress")
        nats = [rule["ports"] for rule in rules if rule.get("to") == peers]

        assert (postgres in rules) == (name != "gateway")
        hears = role == "serve" and name not in {"auth", "dashboard"}
        assert nats == ([[client, monitor]] if role == "work" else [[client]] if hears else [])


def test_without_an_address_of_the_database_its_port_is_open_to_anywhere(minimal: Rendered) -> None:
    assert {"ports": [{"protocol": "TCP", "port": 5432}]} in opened(minimal, "aiops-auth", "egress")


def test_from_outside_only_gateway_and_dashboard_can_be_reached(production: Rendered) -> None:
    outside = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]

    reached = {
        policy["metadata"]["name"]: rule["ports"]
        for policy in production.all("NetworkPolicy")
        for rule in policy["spec"].get("ingress", ())
        if rule["from"] == outside
    }

    web = [{"protocol": "TCP", "port": 8080}]
    assert reached == {"aiops-gateway": web, "aiops-dashboard": web}


def test_prometheus_reaches_the_metrics_of_every_pod_and_nothing_else(production: Rendered, minimal: Rendered) -> None:
    prometheus = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]

    reached = {
        policy["metadata"]["name"]: [port["port"] for port in rule["ports"]]
        for policy in production.all("NetworkPolicy")
        for rule in policy["spec"].get("ingress", ())
        if rule["from"] == prometheus
    }

    ports = {service: [port + 100] for service, port in PORTS.items()} | {"gateway": [8180], "dashboard": [8180]}
    assert reached == {
        **{f"aiops-{name}": port for name, port in ports.items()},
        **{f"aiops-{service}-work": ports[service] for service in SERVICES},
    }
    assert opened(minimal, "aiops-auth-work", "ingress") == []


def test_a_worker_takes_no_calls_and_a_migration_only_reaches_postgres(minimal: Rendered) -> None:
    for service in SERVICES:
        migration = minimal.one("NetworkPolicy", f"aiops-{service}-migrate")["spec"]

        assert opened(minimal, f"aiops-{service}-work", "ingress") == []
        assert migration["ingress"] == []
        assert migration["egress"] == [DNS, {"ports": [{"protocol": "TCP", "port": 5432}]}]


def test_the_dashboard_reaches_nobody(supported: Rendered) -> None:
    assert opened(supported, "aiops-dashboard", "egress") == []


def test_only_ai_leaves_the_cluster_and_only_for_a_model(charts: Charts, minimal: Rendered) -> None:
    own = {"openai": {"apiKey": True}, "settings": {"openaiModel": "m"}}
    inside = {
        "openai": {"to": [{"podSelector": {"matchLabels": {"app": "model"}}}]},
        "settings": {"openaiModel": "m", "openaiBaseUrl": "http://model:8000/v1"},
    }
    before = opened(minimal, "aiops-ai", "egress")

    vendor = charts.render({"ai": own}, UMBRELLA / "ci" / "minimal-values.yaml")
    in_cluster = charts.render({"ai": inside}, UMBRELLA / "ci" / "minimal-values.yaml")

    private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"]
    assert [rule for rule in opened(vendor, "aiops-ai", "egress") if rule not in before] == [
        {"ports": [{"protocol": "TCP", "port": 443}], "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": private}}]}
    ]
    assert [rule for rule in opened(in_cluster, "aiops-ai", "egress") if rule not in before] == [
        {"ports": [{"protocol": "TCP", "port": 8000}], "to": [{"podSelector": {"matchLabels": {"app": "model"}}}]}
    ]
    assert opened(vendor, "aiops-ai-work", "egress") == opened(minimal, "aiops-ai-work", "egress")


def test_traces_and_flags_go_where_they_are_declared(production: Rendered, minimal: Rendered) -> None:
    def peers(namespace: str) -> list[Object]:
        return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]

    traces = {"ports": [{"protocol": "TCP", "port": 4318}], "to": peers("monitoring")}
    flags = {"ports": [{"protocol": "TCP", "port": 4242}], "to": peers("flags")}

    for name, role in ROLES:
        policy = f"aiops-{name}" + ("-work" if role == "work" else "")

        assert traces in opened(production, policy, "egress")
        assert (flags in opened(production, policy, "egress")) == (name != "gateway")
        assert not {4318, 4242} & {port["port"] for rule in opened(minimal, policy, "egress") for port in rule["ports"]}
