"""A Secret that is not there is told before anything changes, by name and key."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from tests.charts.rendering import NEWEST, UMBRELLA, Charts

from aiops_cli.installation import Database, completed, for_kubernetes

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
KIND = UMBRELLA / "ci" / "kind-values.yaml"
RENDERED = 'no matches for kind "Rollout" in version "argoproj.io/v1alpha1"'
"""What helm says next, when it has rendered everything: this cluster has no Argo Rollouts."""
KINDS = {"Secret": "secrets", "ServiceAccount": "serviceaccounts", "ConfigMap": "configmaps"}


class Cluster(ThreadingHTTPServer):
    """As much of an API server as helm asks for what is in a namespace."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.namespace: dict[str, object] = {}
        self.changes: list[str] = []

    def add(self, thing: dict[str, object], name: str, kind: str) -> None:
        self.namespace[f"/api/v1/namespaces/house/{KINDS[kind]}/{name}"] = thing


class Answer(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        resources = [{"name": KINDS[kind], "kind": kind, "namespaced": True, "verbs": ["get"]} for kind in KINDS]
        found = {
            "/version": {"major": "1", "minor": "37", "gitVersion": f"v{NEWEST}.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": resources},
            **self.server.namespace,
        }.get(path)
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found or missing).encode())

    def do_POST(self) -> None:
        self.server.changes.append(self.path)
        self.send_error(500)

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A namespace `house` that has its default account, and every Secret that the command makes."""
    with Cluster() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        database = Database(host="h", port="5432", name="aiops", parameters="", admin="postgres")
        for made in yaml.safe_load_all(for_kubernetes(completed({}), database, "house")):
            made["data"] = made.pop("stringData", made.get("data"))
            server.add(made, made["metadata"]["name"], made["kind"])
        account: dict[str, object] = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default"}}
        server.add(account, "default", "ServiceAccount")
        yield server
        server.shutdown()
        thread.join()


def ask(charts: Charts, cluster: Cluster, folder: Path, *values: str) -> str:
    """What helm says about an installation in that cluster, which it only tries."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{cluster.server_port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
        "current-context": "c",
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    arguments = ["--dry-run=server", "--disable-openapi-validation", "--namespace", "house", *values]
    done = charts.run("template", "aiops", str(UMBRELLA), *arguments, "--kubeconfig", str(folder / "kubeconfig"))
    assert cluster.changes == []
    return done.stderr


@pytest.mark.parametrize("file", [MINIMAL, KIND], ids=lambda file: file.stem)
def test_what_the_command_makes_is_all_that_is_needed(
    charts: Charts, cluster: Cluster, tmp_path: Path, file: Path
) -> None:
    assert RENDERED in ask(charts, cluster, tmp_path, "--values", str(file))


def test_a_missing_secret_and_a_missing_key_are_named_with_what_to_do(
    charts: Charts, cluster: Cluster, tmp_path: Path
) -> None:
    del cluster.namespace["/api/v1/namespaces/house/secrets/aiops-gateway"]
    del cluster.namespace["/api/v1/namespaces/house/configmaps/aiops-trust"]
    auth = cluster.namespace["/api/v1/namespaces/house/secrets/aiops-auth"]
    assert isinstance(auth, dict)
    del auth["data"]["setup-token"]

    said = ask(charts, cluster, tmp_path, "--values", str(MINIMAL))

    assert "Namespace house lacks what the pods read at their start:\n" in said
    assert [line for line in said.splitlines() if line.startswith("- ")] == [
        "- Secret aiops-auth, key setup-token",
        "- Secret aiops-gateway, key key.pem",
        "- Secret aiops-gateway, key nats-password",
        "- ConfigMap aiops-trust, key trust.json",
    ]
    assert "aiops secrets generate --kubernetes --namespace house | kubectl create --filename -" in said


def test_what_a_value_asks_for_is_looked_for_too(charts: Charts, cluster: Cluster, tmp_path: Path) -> None:
    flags = ["--set", "global.unleash.url=http://u:4242/api"]
    model = ["--set", "ai.openai.apiKey=true", "--set", "ai.settings.openaiModel=m"]
    del cluster.namespace["/api/v1/namespaces/house/secrets/aiops-nats"]

    said = ask(charts, cluster, tmp_path, "--values", str(KIND), *flags, *model)

    assert [line for line in said.splitlines() if line.startswith("- ")] == [
        "- Secret aiops-ai, key openai-api-key",
        "- Secret aiops-nats, key authorization.conf",
        "- Secret aiops-unleash, key client-token",
    ]


def test_where_secrets_are_fetched_none_has_to_be_there_before(
    charts: Charts, cluster: Cluster, tmp_path: Path
) -> None:
    for name in [name for name in cluster.namespace if "/secrets/" in name]:
        del cluster.namespace[name]
    store = ["--set", "global.secrets.mode=external", "--set", "global.secrets.external.store.name=vault"]

    assert RENDERED in ask(charts, cluster, tmp_path, "--values", str(MINIMAL), *store)
    del cluster.namespace["/api/v1/namespaces/house/configmaps/aiops-trust"]
    assert "- ConfigMap aiops-trust, key trust.json\n" in ask(charts, cluster, tmp_path, *store)
