"""A typo, a value out of range, contradictory options: nothing is rendered, and the person reads what to do."""

from typing import Any

import pytest
from tests.charts.edges import SERVICES
from tests.charts.rendering import NEWEST, UMBRELLA, Charts

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
COMPONENTS = (*SERVICES, "gateway", "dashboard")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gatway": {}}, "aiops:\n- at '': additional properties 'gatway' not allowed"),
        ({"global": {"enviroment": "production"}}, "at '/global': additional properties 'enviroment' not allowed"),
        ({"auth": {"replica": 3}}, "auth:\n- at '': additional properties 'replica' not allowed"),
        ({"auth": {"settings": {"signUp": "open"}}}, "at '/settings': additional properties 'signUp' not allowed"),
        ({"logs": {"worker": {"replica": 2}}}, "at '/worker': additional properties 'replica' not allowed"),
        ({"gateway": {"worker": {"replicas": 1}}}, "gateway:\n- at '': additional properties 'worker' not allowed"),
        ({"gateway": {"ingress": {"hosts": []}}}, "at '/ingress': additional properties 'hosts' not allowed"),
        ({"dev": {"postgress": {}}}, "aiops:\n"),
        ({"global": {"database": {"to": [{"podselector": {}}]}}}, "additional properties 'podselector' not allowed"),
        ({"global": {"networkPolicy": {"ingressFrom": [{}]}}}, "minProperties: got 0, want 1"),
    ],
)
def test_a_key_that_nobody_knows_is_refused_where_it_stands(charts: Charts, values: dict[str, Any], said: str) -> None:
    if "dev" in values:
        values = {"dev": {**values["dev"], "enabled": True}}
        said = "dev:\n- at '': additional properties 'postgress' not allowed"

    assert said in charts.refusal(values, MINIMAL)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_chart_refuses_unknown_keys_also_by_itself(charts: Charts, component: str) -> None:
    refused = charts.template({"nobody": 1}, chart=component, release="x", kubernetes=NEWEST)
    taken = charts.template(None, chart=component, release="x", kubernetes=NEWEST)

    assert refused.returncode == 1
    assert "additional properties 'nobody' not allowed" in refused.stderr
    assert taken.returncode == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"auth": {"settings": {"bcryptCost": 3}}}, "at '/settings/bcryptCost': minimum: got 3, want 4"),
        ({"auth": {"settings": {"signup": "all"}}}, "value must be one of 'invite', 'open', 'closed'"),
        ({"logs": {"settings": {"concurrentIngestions": 65}}}, "maximum: got 65, want 64"),
        ({"ai": {"settings": {"openaiTimeoutSeconds": 0}}}, "exclusiveMinimum: got 0, want 0"),
        ({"tickets": {"settings": {"poolSize": "5"}}}, "got string, want integer"),
        ({"auth": {"replicas": 0}}, "at '/replicas': minimum: got 0, want 1"),
        ({"auth": {"worker": {"replicas": 0}}}, "at '/worker/replicas': minimum: got 0, want 1"),
        ({"global": {"environment": "staging"}}, "value must be one of 'production', 'development'"),
        ({"global": {"logLevel": "debug"}}, "value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'"),
        ({"global": {"name": "Aiops"}}, "'Aiops' does not match pattern"),
        ({"global": {"name": "1aiops"}}, "'1aiops' does not match pattern"),
        ({"global": {"nats": {"url": "nats://me:secret@nats:4222"}}}, "at '/global/nats/url': "),
        ({"global": {"otlp": {"endpoint": "http://me:secret@c:4318"}}}, "at '/global/otlp/endpoint': "),
        ({"global": {"unleash": {"url": "http://me:secret@u/api"}}}, "at '/global/unleash/url': "),
        ({"global": {"drainSeconds": -1}}, "minimum: got -1, want 0"),
        ({"global": {"rollout": {"scaleDownDelaySeconds": 30}}}, "minimum: got 30, want 90"),
        ({"global": {"unleash": {"url": "http://unleash:4242"}}}, "does not match pattern '^(https?://"),
        ({"global": {"nats": {"url": "nats-0:4222"}}}, "'nats-0:4222' does not match pattern"),
        ({"global": {"networkPolicy": {"dnsTo": []}}}, "minItems: got 0, want 1"),
        ({"global": {"flags": {"a": "yes"}}}, "at '/global/flags/a': got string, want boolean"),
        ({"gateway": {"ingress": {"host": "https://a.b"}}}, "'https://a.b' does not match pattern"),
        ({"gateway": {"disruption": {"maxUnavailable": 0}}}, "minimum: got 0, want 1"),
    ],
)
def test_a_value_out_of_its_range_is_refused(charts: Charts, values: dict[str, Any], said: str) -> None:
    assert said in charts.refusal(values, MINIMAL)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"global": {"nats": {"monitorUrl": ""}}},
            "global.nats.durability is checked, but there is no global.nats.monitorUrl",
        ),
        ({"global": {"nats": {"durability": "vouched"}}}, "so global.nats.monitorUrl would never be asked"),
        ({"global": {"image": {"tag": "latest"}}}, "global.image.tag is latest"),
        ({"ai": {"openai": {"apiKey": True}}}, "settings.openaiModel does not say which"),
        ({"ai": {"settings": {"openaiBaseUrl": "http://m/v1"}}}, "settings.openaiModel does not say which"),
        ({"dashboard": {"enabled": False}}, "gateway.ingress.pages sends / to the dashboard"),
    ],
)
def test_options_that_contradict_each_other_are_refused_with_what_to_do(
    charts: Charts, values: dict[str, Any], said: str
) -> None:
    way_in = {"enabled": True, "host": "a.b", "tls": {"terminatedAt": "elsewhere"}}
    ingress = {"gateway": {"settings": {"trustedProxies": "10.0.0.0/8"}, "ingress": way_in}}
    peers = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
    if "dashboard" in values:
        values = {**values, **ingress, "global": {"networkPolicy": {"ingressFrom": peers}}}

    refusal = charts.refusal(values, MINIMAL)

    assert said in refusal
    assert "Set " in refusal or "Name " in refusal


def test_all_that_is_wrong_with_a_component_is_said_at_once(charts: Charts) -> None:
    values = {"replicas": 2, "autoscaling": {"enabled": True, "minReplicas": 8}}

    refusal = charts.refusal({**values, "global": {"image": {"tag": "latest"}}}, chart="auth")

    assert refusal.count("\n- ") == 3


def test_latest_is_good_enough_for_development(charts: Charts) -> None:
    rendered = charts.render({"global": {"environment": "development", "image": {"tag": "latest"}}}, MINIMAL)

    assert rendered.pod("Rollout", "aiops-ai").container["image"] == "aiops-ai:latest"
