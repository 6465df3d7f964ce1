"""Secrets are made by the operator or fetched; the charts hold none."""

import base64
import re

import pytest
import yaml
from tests.charts.edges import SERVICES
from tests.charts.rendering import CHARTS, UMBRELLA, Charts, Rendered

from aiops_cli.installation import Database, completed, for_kubernetes

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
KIND = UMBRELLA / "ci" / "kind-values.yaml"
UNLEASH = {"dev": {"unleash": {"enabled": True}}, "global": {"unleash": {"url": "http://aiops-unleash:4242/api"}}}


def taken(rendered: Rendered) -> set[tuple[str, str, str]]:
    """Every key of a Secret or ConfigMap that some pod mounts."""
    return {source for pod in rendered.pods() for source in pod.files.values()}


def declared() -> set[tuple[str, str]]:
    """The keys in the table of charts/README.md."""
    rows = re.findall(r"^\| `(aiops-[a-z-]+)` \| (.+?) \|", (CHARTS / "README.md").read_text(), flags=re.MULTILINE)
    return {(name, key) for name, keys in rows for key in re.findall(r"`([^`]+)`", keys)}


def test_no_secret_is_rendered(supported: Rendered) -> None:
    assert supported.all("Secret") == []


def test_every_key_that_is_mounted_is_in_the_table(charts: Charts, supported: Rendered) -> None:
    everything = charts.render({**UNLEASH, "ai": {"openai": {"apiKey": True}, "settings": {"openaiModel": "m"}}}, KIND)

    for rendered in (supported, everything):
        own = {(each["metadata"]["name"], key) for each in rendered.all("ConfigMap") for key in each["data"]}
        # A migration whose Secret is fetched has one of its own, for as long as it runs.
        fetched = {
            (each["spec"]["target"]["name"], data["secretKey"])
            for each in rendered.all("ExternalSecret")
            for data in each["spec"]["data"]
        }
        assert {(name, key) for _, name, key in taken(rendered)} - own <= declared() | {
            (name, key) for name, key in fetched if name.endswith("-migrate")
        }


def test_the_command_makes_every_key_that_an_installation_mounts(minimal: Rendered, kind: Rendered) -> None:
    database = Database(host="h", port="5432", name="aiops", parameters="", admin="postgres")
    made = {
        (each["kind"].lower(), each["metadata"]["name"], key)
        for each in yaml.safe_load_all(for_kubernetes(completed({}), database, "house"))
        for key in each.get("stringData", each.get("data"))
    }

    for rendered in (minimal, kind):
        own = {each["metadata"]["name"] for each in rendered.all("ConfigMap")}
        wanted = {(kind_of.lower(), name, key) for kind_of, name, key in taken(rendered) if name not in own}

        assert wanted <= made


def test_fetched_secrets_hold_what_the_pods_mount_and_no_more(production: Rendered) -> None:
    fetched = {
        each["spec"]["target"]["name"]: {data["secretKey"] for data in each["spec"]["data"]}
        for each in production.all("ExternalSecret")
    }
    mounted: dict[str, set[str]] = {}
    for kind_of, name, key in taken(production):
        if kind_of == "secret":
            mounted.setdefault(name, set()).add(key)

    assert fetched == mounted
    assert fetched["aiops-logs"] == {"key.pem", "database-url", "nats-password"}
    assert fetched["aiops-logs-migrate"] == {"owner-database-url"}


def test_they_come_from_the_store_by_the_names_that_terraform_gives(production: Rendered) -> None:
    for each in production.all("ExternalSecret"):
        spec = each["spec"]
        remote = each["metadata"]["name"].removesuffix("-migrate")

        assert spec["secretStoreRef"] == {"name": "aws-secrets-manager", "kind": "ClusterSecretStore"}
        assert spec["target"] == {"name": each["metadata"]["name"], "creationPolicy": "Owner"}
        for data in spec["data"]:
            assert data["remoteRef"] == {"key": f"aiops-prod/{remote}", "property": data["secretKey"]}


def test_where_secrets_exist_nothing_is_fetched(minimal: Rendered, kind: Rendered) -> None:
    assert minimal.all("ExternalSecret") == kind.all("ExternalSecret") == []


def test_fetching_from_nowhere_is_refused(charts: Charts) -> None:
    said = charts.refusal({"global": {"secrets": {"mode": "external"}}}, MINIMAL)

    assert "global.secrets.mode is external, but no store is named. Set global.secrets.external.store.name" in said


def test_a_store_that_nobody_fetches_from_is_refused(charts: Charts) -> None:
    said = charts.refusal({"global": {"secrets": {"external": {"store": {"name": "vault"}}}}}, MINIMAL)

    assert "global.secrets.mode is existing, so nothing would be fetched from it" in said


@pytest.mark.parametrize("service", SERVICES)
def test_every_file_of_the_charts_is_free_of_anything_that_looks_like_a_secret(service: str) -> None:
    text = "".join(path.read_text() for path in sorted((CHARTS / service).glob("*.yaml")))

    assert "BEGIN" not in text
    assert not re.search(r"[0-9a-f]{32}", text)
    assert base64.b64encode(b"password").decode() not in text
