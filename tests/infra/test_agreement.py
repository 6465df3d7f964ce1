"""What Terraform and the rest of the repository say of the same things: edges, secrets, images, values, pages."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charts.rendering import UMBRELLA, Charts, Rendered
from tests.infra.terraform import Terraform
from tests.infra.tree import TREE, secret_entries

from gateway.headers import HTTPS_ALONE, SECURITY
from gateway.pages import CONTENT_SECURITY_POLICY, NO_PAGE_BENEATH

ROOT = Path(__file__).resolve().parents[2]
HANDOVER = "modules/handover"
INPUTS = {
    "region": "eu-central-1",
    "namespace": "aiops",
    "secrets_service_account": "aiops-secrets-reader",
    "external_secrets_role_arn": "arn:aws:iam::111122223333:role/reader",
    "registry": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/aiops-test",
    "secrets_prefix": "aiops-test",
    "vpc_cidr_block": "10.40.0.0/16",
    "domain_name": "aiops.example.com",
    "ingress_certificate_arn": "arn:aws:acm:eu-central-1:111122223333:certificate/c",
    "load_balancer_security_group_id": "sg-1",
    "security_group_policies": "kind: SecurityGroupPolicy\n",
    "pod_log_group": "/aws/eks/aiops-test/pods",
}
DISTRIBUTION = TREE / "modules" / "dashboard" / "distribution.tf"


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Charts:
    found = subprocess.run(
        [sys.executable, ROOT / "dev" / "helm.py"], capture_output=True, text=True, timeout=600, check=False
    )
    if found.returncode and not os.environ.get("CI"):
        pytest.skip(found.stderr.strip())
    assert found.returncode == 0, found.stderr
    return Charts(Path(found.stdout.strip()), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def outputs(terraform: Terraform) -> dict[str, str]:
    terraform.initialise(HANDOVER)
    given = [part for name, value in INPUTS.items() for part in ("-var", f"{name}={value}")]
    applied = terraform.run(HANDOVER, "apply", "-auto-approve", "-input=false", "-no-color", *given)
    assert applied.returncode == 0, applied.stderr
    told: dict[str, dict[str, str]] = json.loads(terraform.run(HANDOVER, "output", "-json").stdout)
    return {name: output["value"] for name, output in told.items()}


@pytest.fixture(params=["minimal", "production"])
def on_aws(charts: Charts, outputs: dict[str, str], request: pytest.FixtureRequest) -> Rendered:
    """Either size of installation, with the values that Terraform hands over."""
    values = yaml.safe_load(outputs["helm_values"])
    return charts.render(values, UMBRELLA / "ci" / f"{request.param}-values.yaml")


def firewall() -> dict[str, Any]:
    text = (TREE / "modules" / "firewall" / "main.tf").read_text()
    found = re.findall(r"^    (\w+) += \{ (port .*) \}$", text, flags=re.MULTILINE)
    return {name: yaml.safe_load("{" + body.replace(" = ", ": ") + "}") for name, body in found}


def test_security_groups_have_the_edges_of_the_network_policies() -> None:
    template = (ROOT / "charts" / "aiops-lib" / "templates" / "_topology.tpl").read_text()
    topology = yaml.safe_load(template.split('{{- define "aiops-lib.topology" -}}')[1].split("{{- end -}}")[0])

    wanted = {}
    for name, component in topology.items():
        roles = [component.get(role, {}) for role in ("serve", "work")]
        wanted[name] = {
            "port": component["port"],
            "operations": component["operations"],
            "postgres": any(role.get("postgres") for role in roles),
            "keys": any(role.get("jwks") for role in roles),
            "calls": sorted({callee for role in roles for callee in role.get("calls", [])}),
        }

    assert firewall() == wanted


def test_every_pod_of_ours_gets_its_groups(on_aws: Rendered) -> None:
    selected = {
        (pod.labels["app.kubernetes.io/part-of"], pod.labels["app.kubernetes.io/name"]) for pod in on_aws.ours()
    }

    text = (TREE / "modules" / "firewall" / "outputs.tf").read_text()
    assert '{ "app.kubernetes.io/part-of" = "aiops", "app.kubernetes.io/name" = name }' in text
    assert selected == {("aiops", name) for name in firewall().keys() - {"dashboard"}}


def test_the_charts_fetch_only_secrets_that_have_an_entry(on_aws: Rendered) -> None:
    fetched = {
        (part["remoteRef"]["key"], part["remoteRef"]["property"])
        for secret in on_aws.all("ExternalSecret")
        for part in secret["spec"]["data"]
    }

    entries = {(f"aiops-test/{name}", key) for name, keys in secret_entries().items() for key in keys}
    assert len(fetched) >= 20
    assert fetched - entries - {("aiops-test/aiops-ai", "openai-api-key")} == set()


def test_the_charts_pull_only_images_that_have_a_repository(on_aws: Rendered) -> None:
    text = (TREE / "modules" / "registry" / "main.tf").read_text()
    listed = re.search(r"images = toset\((\[.*\])\)", text)

    pulled = {pod.container["image"].rpartition(":")[0] for pod in on_aws.ours()}

    assert listed is not None
    kept = {f"{INPUTS['registry']}/aiops-{name}" for name in json.loads(listed[1])}
    assert kept - pulled == {f"{INPUTS['registry']}/aiops-dashboard"}
    assert pulled <= kept


def test_the_load_balancer_serves_the_api_alone(on_aws: Rendered) -> None:
    (ingress,) = on_aws.all("Ingress")

    assert ingress["spec"]["ingressClassName"] == "alb"
    assert [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]] == ["/graphql", "/v1"]
    annotations = ingress["metadata"]["annotations"]
    assert annotations["alb.ingress.kubernetes.io/security-groups"] == "sg-1"
    gateway = on_aws.pod("Rollout", "aiops-gateway")
    seconds = re.findall(r"deregistration_delay.timeout_seconds=(\d+)", str(annotations))
    drain = float(gateway.environment["AIOPS_DRAIN_SECONDS"])
    assert 20 <= drain < int(seconds[0]) < gateway.spec["terminationGracePeriodSeconds"]
    assert gateway.environment["GATEWAY_TRUSTED_PROXIES"] == INPUTS["vpc_cidr_block"]
    assert [name for name in on_aws.names("Rollout") if "dashboard" in name] == []


def test_the_manifests_name_what_the_charts_look_for(outputs: dict[str, str], on_aws: Rendered) -> None:
    manifests = {
        (each["kind"], each["metadata"]["name"])
        for each in yaml.safe_load_all(outputs["manifests"])
        if "metadata" in each
    }

    stores = {
        (secret["spec"]["secretStoreRef"]["kind"], secret["spec"]["secretStoreRef"]["name"])
        for secret in on_aws.all("ExternalSecret")
    }
    assert stores == {("SecretStore", "aiops")}
    assert stores <= manifests


def test_the_deployment_may_make_each_kind_of_the_charts(outputs: dict[str, str], on_aws: Rendered) -> None:
    (role,) = [each for each in yaml.safe_load_all(outputs["manifests"]) if each["kind"] == "Role"]
    allowed = {(group, kind) for rule in role["rules"] for group in rule["apiGroups"] for kind in rule["resources"]}

    made = {
        (each["apiVersion"].partition("/")[0], f"{each['kind'].lower()}s")
        for each in on_aws.objects
        if re.search(r"\.(io|com)/", each["apiVersion"]) and ".k8s.io/" not in each["apiVersion"]
    }

    assert ("argoproj.io", "rollouts") in made
    assert made - allowed == set()


def test_pages_have_the_headers_that_the_gateway_sends() -> None:
    text = DISTRIBUTION.read_text()
    named = dict(re.findall(r'^ +header += "(.*)"\n +value += "(.*)"$', text, flags=re.MULTILINE))

    policy = re.search(r'^ +content_security_policy += "(.*)"$', text, flags=re.MULTILINE)
    referrer = re.search(r'^ +referrer_policy += "(.*)"$', text, flags=re.MULTILINE)
    seconds = re.search(r"^ +access_control_max_age_sec += (\d+)$", text, flags=re.MULTILINE)

    assert policy is not None
    assert referrer is not None
    assert seconds is not None
    assert "content_type_options {" in text
    assert named | {
        "content-security-policy": policy[1],
        "referrer-policy": referrer[1],
        "strict-transport-security": f"max-age={seconds[1]}",
        "x-content-type-options": "nosniff",
    } == SECURITY | HTTPS_ALONE | {"content-security-policy": CONTENT_SECURITY_POLICY}


def test_a_deep_link_gets_the_page_and_a_missing_file_does_not() -> None:
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    wanted: dict[tuple[str, str | None], str] = {
        ("/", browser): "/index.html",
        ("/tickets/0192-a", browser): "/index.html",
        ("/logs/", browser): "/index.html",
        ("/index.html", browser): "/index.html",
        ("/favicon.svg", browser): "/favicon.svg",
        ("/assets/app-1a2b.js", "*/*"): "/assets/app-1a2b.js",
        ("/tickets/0192-a", "application/json"): "/tickets/0192-a",
        ("/tickets", None): "/tickets",
        **{(f"/{first}/gone", browser): f"/{first}/gone" for first in NO_PAGE_BENEATH},
    }
    node = subprocess.run(
        [sys.executable, ROOT / "dev" / "node.py"], capture_output=True, text=True, timeout=600, check=True
    ).stdout.split()[-1]

    done = subprocess.run(
        [node, Path(__file__).with_name("edge.mjs"), DISTRIBUTION.with_name("pages.js"), json.dumps(list(wanted))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert dict(zip(wanted, json.loads(done.stdout), strict=True)) == wanted
