"""skaffold.yaml is valid, and every path, image, value and service that it names is there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(os.environ.get("AIOPS_CRDS") or ROOT.parent / "shared" / "crds")
IMAGES = ("auth", "logs", "tickets", "changelog", "ai", "gateway", "dashboard", "migrate")
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
RELEASE: dict[str, Any] = CONFIG["deploy"]["helm"]["releases"][0]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    file = SCHEMAS / f"skaffold-{CONFIG['apiVersion'].partition('/')[2]}.json"
    if not file.is_file():
        pytest.skip(f"{file} is not there; AIOPS_CRDS names the folder of the schemas")
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What skaffold would install, with the tag of each image set to its own name."""
    sets = [f"{path}={template_image(value)}" for path, value in RELEASE["setValueTemplates"].items()]
    options = [part for each in sets for part in ("--set", each)]
    values = [part for file in RELEASE["valuesFiles"] for part in ("--values", file)]
    found = subprocess.run(
        [sys.executable, ROOT / "dev" / "helm.py"], capture_output=True, text=True, timeout=600, check=False
    )
    if found.returncode:
        if os.environ.get("CI"):
            pytest.fail(found.stderr)
        pytest.skip(found.stderr.strip())
    homes = {f"HELM_{name}_HOME": str(tmp_path_factory.mktemp("helm")) for name in ("CACHE", "CONFIG", "DATA")}
    done = subprocess.run(
        [found.stdout.strip(), "template", RELEASE["name"], RELEASE["chartPath"], *values, *options],
        cwd=ROOT,
        env={**os.environ, **homes},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def template_image(value: str) -> str:
    found = re.fullmatch(r"\{\{\.IMAGE_TAG_aiops_([a-z]+)\}\}", value)
    assert found, value
    return f"tag-of-{found[1]}"


def test_it_is_valid(schema: dict[str, Any]) -> None:
    jsonschema.validate(CONFIG, schema)


def test_a_word_that_skaffold_does_not_know_is_found_invalid(schema: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**CONFIG, "deploy": {**CONFIG["deploy"], "helmet": {}}}, schema)


def test_it_builds_every_image_of_the_one_dockerfile() -> None:
    built = {artifact["image"]: artifact for artifact in CONFIG["build"]["artifacts"]}
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))

    assert list(built) == [f"aiops-{image}" for image in IMAGES]
    assert {artifact["docker"]["buildArgs"]["IMAGE"] for artifact in built.values()} == set(IMAGES)
    assert all(name == f"aiops-{artifact['docker']['buildArgs']['IMAGE']}" for name, artifact in built.items())
    assert set(IMAGES) <= stages


def test_every_path_is_there() -> None:
    contexts = {ROOT / artifact["context"] for artifact in CONFIG["build"]["artifacts"]}
    recipes = {
        ROOT / artifact["context"] / artifact["docker"]["dockerfile"] for artifact in CONFIG["build"]["artifacts"]
    }
    hooks = [hook["host"]["command"][0] for hook in CONFIG["deploy"]["helm"]["hooks"]["after"]]

    assert contexts == {ROOT}
    assert all(recipe.is_file() for recipe in recipes)
    assert (ROOT / RELEASE["chartPath"] / "Chart.yaml").is_file()
    assert [file for file in RELEASE["valuesFiles"] if not (ROOT / file).is_file()] == []
    assert hooks
    assert [hook for hook in hooks if not os.access(ROOT / hook, os.X_OK)] == []


def test_what_is_built_is_what_is_installed(rendered: list[dict[str, Any]]) -> None:
    templates = [
        document["spec"]["template"]["spec"] for document in rendered if "template" in document.get("spec", {})
    ]

    used = {container["image"] for spec in templates for container in spec["containers"]}

    assert {image for image in used if image.startswith("aiops-")} == {f"aiops-{name}:tag-of-{name}" for name in IMAGES}


def test_forwarded_ports_are_those_of_services(rendered: list[dict[str, Any]]) -> None:
    services = {
        document["metadata"]["name"]: {port["port"] for port in document["spec"]["ports"]}
        for document in rendered
        if document["kind"] == "Service"
    }

    forwards = CONFIG["portForward"]

    assert {forward["resourceName"]: forward["port"] for forward in forwards} == {
        "aiops-gateway": 8080,
        "aiops-dashboard": 8080,
    }
    assert all(forward["port"] in services[forward["resourceName"]] for forward in forwards)
    assert len({forward["localPort"] for forward in forwards}) == len(forwards)


def test_the_kind_cluster_is_the_one_that_the_script_makes() -> None:
    script = (ROOT / "dev" / "kind" / "up.sh").read_text()

    cluster = re.search(r'cluster="\$\{KIND_CLUSTER:-(\w+)\}"', script)
    namespace = re.search(r'namespace="\$\{NAMESPACE:-(\w+)\}"', script)

    assert cluster
    assert namespace
    assert CONFIG["deploy"]["kubeContext"] == f"kind-{cluster[1]}"
    assert RELEASE["namespace"] == namespace[1]
    assert set(re.findall(r"\w+", re.search(r"images=\((.*)\)", script)[1])) == set(IMAGES)  # type: ignore[index]
