"""One way in: one host, the API to the gateway, all else to the pages."""

from typing import Any

from tests.charts.rendering import UMBRELLA, Charts, Object, Rendered

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
PEERS = {"networkPolicy": {"ingressFrom": [{"ipBlock": {"cidr": "10.0.0.0/16"}}]}}


def values(*, environment: str = "production", **ingress: Any) -> Object:
    return {
        "global": {"environment": environment, **PEERS},
        "gateway": {
            "settings": {"trustedProxies": "10.0.0.0/16"},
            "ingress": {"enabled": True, "host": "aiops.example.com", **ingress},
        },
    }


def ingress(rendered: Rendered) -> Object:
    return rendered.one("Ingress", "aiops-gateway")


def test_switched_off_nothing_is_reached_from_outside(minimal: Rendered) -> None:
    assert minimal.all("Ingress") == []
    assert {service["spec"]["type"] for service in minimal.all("Service")} == {"ClusterIP"}


def test_the_api_goes_to_the_gateway_and_all_else_to_the_dashboard(production: Rendered) -> None:
    (rule,) = ingress(production)["spec"]["rules"]
    ways = {
        path["path"]: (path["pathType"], path["backend"]["service"]["name"], path["backend"]["service"]["port"])
        for path in rule["http"]["paths"]
    }

    web = {"name": "web"}
    assert rule["host"] == "aiops.example.com"
    assert ways == {
        "/graphql": ("Prefix", "aiops-gateway", web),
        "/v1": ("Prefix", "aiops-gateway", web),
        "/": ("Prefix", "aiops-dashboard", web),
    }
    for name in ("aiops-gateway", "aiops-dashboard"):
        ports = [port["name"] for port in production.one("Service", name)["spec"]["ports"]]
        assert "web" in ports


def test_pages_can_be_left_to_something_else(charts: Charts) -> None:
    rendered = charts.render({**values(pages=False), "dashboard": {"enabled": False}}, MINIMAL)

    (rule,) = ingress(rendered)["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/graphql", "/v1"]
    assert "aiops-dashboard" not in rendered.names("Rollout")


def test_the_certificate_is_made_by_an_issuer_or_named(charts: Charts, production: Rendered) -> None:
    named = charts.render(values(tls={"secretName": "our-own"}), MINIMAL)

    assert ingress(production)["spec"]["tls"] == [{"hosts": ["aiops.example.com"], "secretName": "aiops-gateway-tls"}]
    assert ingress(production)["metadata"]["annotations"] == {
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "nginx.ingress.kubernetes.io/proxy-body-size": "64m",
        "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "3600",
    }
    assert ingress(named)["spec"]["tls"] == [{"hosts": ["aiops.example.com"], "secretName": "our-own"}]
    assert "annotations" not in ingress(named)["metadata"]
    assert "ingressClassName" not in ingress(named)["spec"]


def test_tls_can_end_before_the_ingress(charts: Charts) -> None:
    rendered = charts.render(values(tls={"terminatedAt": "elsewhere"}), MINIMAL)

    assert "tls" not in ingress(rendered)["spec"]


def test_no_tls_at_all_is_for_development(charts: Charts, kind: Rendered) -> None:
    refused = charts.refusal(values(tls={"terminatedAt": "nowhere"}), MINIMAL)

    assert "the session's cookie is sent over TLS alone, so nobody could stay signed in" in refused
    assert "tls" not in ingress(kind)["spec"]


def test_tls_without_a_host_is_refused(charts: Charts) -> None:
    refused = charts.refusal(values(host=""), MINIMAL)

    assert "ingress.enabled is true and ingress.tls.terminatedAt is ingress, but ingress.host is empty." in refused
    assert "for example ingress.host=aiops.example.com" in refused


def test_a_certificate_that_nobody_would_use_is_refused(charts: Charts) -> None:
    refused = charts.refusal(values(tls={"terminatedAt": "elsewhere", "clusterIssuer": "letsencrypt"}), MINIMAL)

    assert "ingress.tls.terminatedAt is elsewhere, so neither would be used" in refused


def test_a_controller_that_policies_keep_away_is_refused(charts: Charts) -> None:
    refused = charts.refusal({"gateway": {"ingress": {"enabled": True, "host": "a.b"}}}, MINIMAL)

    assert "network policies keep the ingress controller away. Set global.networkPolicy.ingressFrom" in refused


def test_the_gateway_hears_whose_word_about_addresses_counts(charts: Charts, production: Rendered) -> None:
    unsaid = charts.refusal({**values(), "gateway": {"ingress": {"enabled": True, "host": "a.b"}}}, MINIMAL)

    assert production.pod("Rollout", "aiops-gateway").environment["GATEWAY_TRUSTED_PROXIES"] == "10.0.0.0/16"
    assert "wrong passwords of one person would slow down all. Set settings.trustedProxies to the network" in unsaid
    for wrong in ("*", "0.0.0.0/0", "ingress-nginx"):
        refused = charts.refusal({"gateway": {"settings": {"trustedProxies": wrong}}}, MINIMAL)
        assert f"gateway:\n- at '/settings/trustedProxies': '{wrong}' does not match pattern" in refused
