"""What the charts tell a process is what the process asks for: names, values, files and ports."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.charts.edges import SERVICES
from tests.charts.rendering import ROOT, UMBRELLA, Charts, Pod, Rendered

from ai_service.settings import AiSettings
from auth_service.settings import AuthSettings
from changelog_service.settings import ChangelogSettings
from chassis.settings import SECRETS_FOLDER, ProcessSettings
from gateway.pages_process import PagesSettings
from gateway.settings import GatewaySettings
from logs_service.settings import LogsSettings
from tickets_service.settings import TicketsSettings

PRODUCTION = UMBRELLA / "ci" / "production-values.yaml"
SETTINGS: dict[str, type[ProcessSettings]] = {
    "auth": AuthSettings,
    "logs": LogsSettings,
    "tickets": TicketsSettings,
    "changelog": ChangelogSettings,
    "ai": AiSettings,
    "gateway": GatewaySettings,
    "dashboard": PagesSettings,
}
SECRET_TEXT = "postgresql://aiops:made-up-for-this-test@host/aiops"
LIMITS: dict[str, object] = {"maxCalls": 64, "maxUploads": 2}
EVERY_SETTING: dict[str, dict[str, object]] = {
    "auth": {
        **LIMITS,
        "poolSize": 7,
        "signup": "closed",
        "signingKeyDays": 9,
        "sessionDays": 14,
        "invitationDays": 3,
        "bcryptCost": 13,
        "oidcIssuer": "https://login.example.com",
        "oidcClientId": "aiops",
        "oidcName": "Example",
        "oidcScopes": "openid email profile groups",
        "oidcGroupsClaim": "roles",
        "oidcVerifiedClaim": "xms_edov",
        "oidcRoles": "sre=ops,people=hr",
        "oidcSessionHours": 8,
    },
    "logs": {
        **LIMITS,
        "poolSize": 7,
        "concurrentIngestions": 2,
        "summaryTimeoutSeconds": 45.5,
        "summaryPatienceSeconds": 86400,
    },
    "tickets": {**LIMITS, "poolSize": 100, "triageTimeoutSeconds": 30, "triagePatienceSeconds": 0},
    "changelog": {**LIMITS, "poolSize": 1, "highlightTimeoutSeconds": 600, "highlightPatienceSeconds": 1},
    "ai": {
        **LIMITS,
        "poolSize": 7,
        "openaiBaseUrl": "http://model:8000/v1",
        "openaiModel": "m",
        "openaiTimeoutSeconds": 5,
        "openaiDeadlineSeconds": 15,
        "openaiMaxOutputTokens": 100000,
    },
}


def processes(rendered: Rendered) -> Iterator[tuple[str, Pod]]:
    for pod in rendered.ours():
        if pod.kind != "Job":
            yield pod.labels["app.kubernetes.io/name"], pod


def start(pod: Pod, component: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessSettings:
    """The settings that the process of this pod would have, read as it reads them."""
    for name, value in pod.environment.items():
        assert isinstance(value, str), f"{name} is no plain text: secrets come from files"
        monkeypatch.setenv(name, value)
    for file in pod.files:
        (folder / file).write_text(SECRET_TEXT)
    monkeypatch.setenv(SECRETS_FOLDER, str(folder))
    return SETTINGS[component]()


@pytest.mark.parametrize("component", SETTINGS)
def test_no_variable_and_no_file_is_one_that_nobody_reads(charts: Charts, supported: Rendered, component: str) -> None:
    known = {SETTINGS[component].variable(field) for field in SETTINGS[component].model_fields}
    flagged = charts.render({"global": {"flags": {"a": True}}, "ai": {"openai": {"apiKey": True}}}, PRODUCTION)

    for rendered in (supported, flagged):
        for name, pod in processes(rendered):
            if name == component:
                files = set(pod.files)
                pointed_to = {str(value).removeprefix("/etc/aiops/") for value in pod.environment.values()} & files

                assert set(pod.environment) - {SECRETS_FOLDER} <= known
                assert files - pointed_to <= known


@pytest.mark.parametrize("component", SETTINGS)
def test_each_process_starts_with_what_it_is_told(
    supported: Rendered, component: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = [pod for name, pod in processes(supported) if name == component]

    assert len(pods) == (2 if component in SERVICES else 1)
    for pod in pods:
        with monkeypatch.context() as patch:
            settings = start(pod, component, tmp_path, patch)

            assert settings.drain_seconds == float(pod.environment["AIOPS_DRAIN_SECONDS"])
            if component != "dashboard":
                assert str(settings.trust_file) == "/etc/aiops/trust.json"
                assert {"trust.json", "redaction.key", "key.pem"} <= set(pod.files)


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_reaches_the_process_under_its_name(
    charts: Charts, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = charts.render(
        {name: {"settings": settings} for name, settings in EVERY_SETTING.items()},
        UMBRELLA / "ci" / "minimal-values.yaml",
    )

    settings = start(rendered.pod("Rollout", f"aiops-{service}"), service, tmp_path, monkeypatch)

    wanted = {
        name: value
        for name, value in EVERY_SETTING[service].items()
        if getattr(settings, "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)) != value
    }
    assert wanted == {}


def test_the_schema_lets_every_setting_of_a_service_be_set() -> None:
    schemas = runpy.run_path(str(ROOT / "dev" / "generate_chart_schemas.py"))

    settable = {
        service: set(schemas["chart_schema"](service)["properties"]["settings"]["properties"]) for service in SERVICES
    }

    assert settable == {service: set(EVERY_SETTING[service]) for service in SERVICES}


def test_nothing_secret_is_in_an_environment(supported: Rendered) -> None:
    for name, pod in processes(supported):
        secret = {
            SETTINGS[name].variable(field)
            for field, info in SETTINGS[name].model_fields.items()
            if info.annotation is SecretStr
        }

        assert secret & set(pod.environment) == set()


def test_each_role_has_the_secrets_that_it_uses_and_no_others(production: Rendered) -> None:
    def keys(name: str, kind: str = "Rollout") -> set[str]:
        return {key for kind_of, _, key in production.pod(kind, name).files.values() if kind_of == "secret"}

    every = {"key.pem", "redaction.key"}
    assert keys("aiops-auth") == every | {"database-url", "key-encryption.key", "setup-token", "client-token"}
    assert keys("aiops-auth-work", "Deployment") == keys("aiops-auth") | {"nats-password"}
    assert keys("aiops-tickets") == every | {"database-url", "client-token", "nats-password"}
    assert keys("aiops-tickets-work", "Deployment") == keys("aiops-tickets")
    assert keys("aiops-ai") == every | {"database-url", "client-token", "nats-password", "openai-api-key"}
    assert keys("aiops-gateway") == every | {"nats-password"}
    assert keys("aiops-dashboard") == set()


def test_ports_are_those_of_the_local_stack(supported: Rendered) -> None:
    ports = runpy.run_path(str(ROOT / "dev" / "state.py"))["Ports"]()

    for name, pod in processes(supported):
        listening = {port["name"]: port["containerPort"] for port in pod.container["ports"]}
        expected = {"operations": ports.http(name) if name in SERVICES else ports.gateway_operations}
        if pod.labels["app.kubernetes.io/component"] == "serve":
            expected |= {"grpc": ports.grpc(name)} if name in SERVICES else {"web": ports.gateway}
        told = {value for key, value in pod.environment.items() if key.endswith("_LISTEN")}

        assert listening == expected
        assert told == {f"0.0.0.0:{port}" for port in expected.values()}


def test_addresses_of_the_others_are_their_active_services(supported: Rendered) -> None:
    services = {
        f"{service['metadata']['name']}:{port['port']}"
        for service in supported.all("Service")
        for port in service["spec"]["ports"]
    }

    for name, pod in processes(supported):
        targets = [value for key, value in pod.environment.items() if key.endswith("_TARGET")]
        assert set(targets) <= services
        assert not any("preview" in target for target in targets)
        jwks = pod.environment.get("AIOPS_JWKS_URL", "http://aiops-auth:8201/.well-known/jwks.json")
        assert jwks == "http://aiops-auth:8201/.well-known/jwks.json"
        serves = pod.labels["app.kubernetes.io/component"] == "serve"
        assert ("AIOPS_JWKS_URL" in pod.environment) == (serves and name not in {"auth", "dashboard"})


def test_workers_are_told_how_nats_keeps_what_it_acknowledges(charts: Charts, minimal: Rendered) -> None:
    vouched = charts.render(
        {"global": {"nats": {"durability": "vouched", "monitorUrl": ""}}}, UMBRELLA / "ci" / "minimal-values.yaml"
    )

    told = minimal.pod("Deployment", "aiops-logs-work").environment
    believed = vouched.pod("Deployment", "aiops-logs-work").environment
    assert (told["AIOPS_NATS_DURABILITY"], told["AIOPS_NATS_MONITOR_URL"]) == (
        "checked",
        "http://nats-headless.nats:8222",
    )
    assert (believed["AIOPS_NATS_DURABILITY"], "AIOPS_NATS_MONITOR_URL" in believed) == ("vouched", False)
    # Whoever only listens needs no more than the address.
    listening = {name for name in minimal.pod("Rollout", "aiops-logs").environment if "NATS" in name}
    assert listening & {"AIOPS_NATS_DURABILITY", "AIOPS_NATS_MONITOR_URL"} == set()
    assert "AIOPS_NATS_URL" in listening


def test_flags_are_a_file_that_a_running_process_sees_change(charts: Charts, minimal: Rendered) -> None:
    rendered = charts.render({"global": {"flags": {"new-thing": True}}}, UMBRELLA / "ci" / "minimal-values.yaml")

    assert minimal.all("ConfigMap") == []
    assert rendered.one("ConfigMap", "aiops-logs-flags")["data"] == {"flags.json": '{"new-thing":true}'}
    for kind, name in (("Rollout", "aiops-logs"), ("Deployment", "aiops-logs-work")):
        pod = rendered.pod(kind, name)
        assert pod.environment["AIOPS_FLAGS_FILE"] == "/etc/aiops/flags.json"
        assert pod.files["flags.json"] == ("configMap", "aiops-logs-flags", "flags.json")
    assert rendered.names("ConfigMap") == sorted(f"aiops-{service}-flags" for service in SERVICES)
