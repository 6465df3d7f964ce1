"""Charts as a real helm renders them, each set of values once; and what a refusal says."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
UMBRELLA = CHARTS / "aiops"
SUPPORTED = tuple(sorted((UMBRELLA / "ci").glob("*-values.yaml")))
OLDEST, NEWEST = "1.31", "1.37"
"""Kubernetes versions between which the charts are supported."""

Object = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod template, by what makes pods of it."""

    kind: str
    name: str
    labels: Mapping[str, str]
    spec: Object

    @property
    def container(self) -> Object:
        """Its one container."""
        (container,) = self.spec["containers"]
        found: Object = container
        return found

    @property
    def environment(self) -> dict[str, Any]:
        """Its variables: a text, or where the value is taken from."""
        pairs = [(each["name"], each.get("value", each.get("valueFrom"))) for each in self.container.get("env", ())]
        assert len(dict(pairs)) == len(pairs), f"{self.name} sets a variable twice"
        return dict(pairs)

    @property
    def files(self) -> dict[str, tuple[str, str, str]]:
        """What is mounted at /etc/aiops: file name to kind, object and key."""
        found = {}
        for volume in self.spec["volumes"]:
            for source in volume.get("projected", {}).get("sources", ()):
                ((kind, content),) = source.items()
                for item in content["items"]:
                    assert item["path"] not in found, f"{self.name} mounts {item['path']} twice"
                    found[item["path"]] = (kind, content["name"], item["key"])
        return found


@dataclass(frozen=True)
class Rendered:
    """The objects that one set of values makes."""

    objects: tuple[Object, ...]

    def all(self, kind: str) -> list[Object]:
        """Every object of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def names(self, kind: str) -> list[str]:
        """The names of a kind's objects, sorted."""
        return sorted(each["metadata"]["name"] for each in self.all(kind))

    def one(self, kind: str, name: str) -> Object:
        """The one object of that name."""
        (found,) = [each for each in self.all(kind) if each["metadata"]["name"] == name]
        return found

    def pods(self) -> Iterator[Pod]:
        """Every pod template."""
        for each in self.objects:
            template = each.get("spec", {}).get("template")
            if template and "containers" in template.get("spec", {}):
                yield Pod(each["kind"], each["metadata"]["name"], template["metadata"]["labels"], template["spec"])

    def pod(self, kind: str, name: str) -> Pod:
        """The pod template of one object."""
        (found,) = [pod for pod in self.pods() if (pod.kind, pod.name) == (kind, name)]
        return found

    def ours(self) -> list[Pod]:
        """Pod templates of our own processes, migrations included; not of the engines for development."""
        return [pod for pod in self.pods() if pod.labels["app.kubernetes.io/component"] != "engine"]


class Charts:
    """A helm, and what it rendered so far."""

    def __init__(self, helm: Path, homes: Path) -> None:
        names = {f"HELM_{name}_HOME": str(homes / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        # A cluster that happens to be configured on this machine is none of a test's business.
        self._environment = {**os.environ, **names, "KUBECONFIG": str(homes / "no-cluster")}
        self._helm = helm
        self._rendered: dict[str, Rendered] = {}

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run helm."""
        return subprocess.run(
            [str(self._helm), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def template(
        self, values: Mapping[str, Any] | None, *files: Path, chart: str, release: str, kubernetes: str
    ) -> "subprocess.CompletedProcess[str]":
        """Render a chart with values files, and values that win over them."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as own:
            json.dump(values or {}, own)
            own.flush()
            given = [argument for file in (*files, own.name) for argument in ("--values", str(file))]
            target = ["template", release, str(CHARTS / chart), "--namespace", "house"]
            return self.run(*target, "--kube-version", f"{kubernetes}.0", *given)

    def render(
        self, values: Mapping[str, Any] | None = None, *files: Path, chart: str = "aiops", release: str = "aiops"
    ) -> Rendered:
        """The objects of these values; rendered when they are asked for first."""
        key = json.dumps([values, *map(str, files), chart, release])
        if key not in self._rendered:
            done = self.template(values, *files, chart=chart, release=release, kubernetes=NEWEST)
            assert done.returncode == 0, done.stderr
            self._rendered[key] = Rendered(tuple(filter(None, yaml.load_all(done.stdout, yaml.CSafeLoader))))
        return self._rendered[key]

    def refusal(self, values: Mapping[str, Any], *files: Path, chart: str = "aiops") -> str:
        """What helm says instead of rendering these values; nothing is rendered."""
        done = self.template(values, *files, chart=chart, release="aiops", kubernetes=NEWEST)
        assert done.returncode == 1
        assert done.stdout == ""
        return "\n".join(line for line in done.stderr.splitlines() if "symbolic link" not in line)
