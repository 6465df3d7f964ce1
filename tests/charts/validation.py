"""Schemas made strict: what they do not name is wrong, as a misspelt field would be ignored by a cluster or refused."""

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from kubernetes_validate import utils as kubernetes  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry, Resource
from tests.charts.rendering import ROOT, Object


def crds_folder() -> Path:
    """Where the CustomResourceDefinitions are: AIOPS_CRDS, or a folder beside the project."""
    return Path(os.environ.get("AIOPS_CRDS") or ROOT.parent / "shared" / "crds")


def is_core(thing: Object) -> bool:
    """Whether Kubernetes itself knows the kind."""
    group = thing["apiVersion"].partition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def as_deployment(rollout: Object) -> Object:
    """The Deployment that a Rollout would be: so that checks which know only Deployments see its pods."""
    spec = {key: value for key, value in rollout["spec"].items() if key not in {"strategy", "progressDeadlineAbort"}}
    return {**rollout, "apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}


def core_errors(thing: Object, version: str) -> list[str]:
    """What Kubernetes of that version would not know, or would refuse, in one of its own kinds."""
    return _errors(thing, _core_validator(version, thing["kind"], thing["apiVersion"]))


def custom_errors(thing: Object, folder: Path) -> list[str]:
    """What the thing's CustomResourceDefinition does not know, or would refuse."""
    return _errors(thing, _custom_validators(folder)[thing["apiVersion"], thing["kind"]])


def strict(schema: Any) -> Any:
    """A CustomResourceDefinition's schema as JSON Schema that knows no field but those it names."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    if made.pop("nullable", False) and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _errors(thing: Object, validator: Any) -> list[str]:
    name = f"{thing['kind']}/{thing['metadata']['name']}"
    return [
        f"{name} {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in validator.iter_errors(thing)
    ]


@functools.cache
def _core_registry(folder: str) -> Registry[Any]:
    return Resource.from_contents(kubernetes.schema_contents(f"{folder}/_definitions.json", "")) @ Registry()


@functools.cache
def _core_validator(version: str, kind: str, api_version: str) -> Any:
    """The validator of kubernetes_validate.validate, which makes it anew for each object, half a second each time."""
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = kubernetes.schema_contents(f"{folder}/{kind.lower()}-{group}.json", version)
    return jsonschema.Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _core_registry(folder))


class _Loader(yaml.CSafeLoader):
    """A safe loader that takes a lone `=`, which some definitions list among their words, for the text that it is."""

    def construct_value(self, node: yaml.ScalarNode) -> str:
        return str(self.construct_scalar(node))


def _read(file: Path) -> Iterator[Object]:
    _Loader.add_constructor("tag:yaml.org,2002:value", _Loader.construct_value)
    yield from filter(None, yaml.load_all(file.read_text(), _Loader))


@functools.cache
def _custom_validators(folder: Path) -> dict[tuple[str, str], Any]:
    """A validator for each version and kind of the definitions in the folder."""
    found = {}
    for file in folder.rglob("*.yaml"):
        for definition in _read(file):
            if definition.get("kind") != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"] |= {"metadata": {"type": "object"}}
                key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                found[key] = jsonschema.Draft7Validator(schema)
    return found
