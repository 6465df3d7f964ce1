"""The charts are of one piece: one version, one library, nothing to fetch, nothing made by hand that is derived."""

import itertools
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import yaml
from tests.charts.edges import SERVICES
from tests.charts.rendering import CHARTS, NEWEST, OLDEST, ROOT, UMBRELLA, Charts

COMPONENTS = (*SERVICES, "gateway", "dashboard")
FOLDERS = sorted(file.parent for file in CHARTS.glob("*/Chart.yaml"))


def chart(name: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((CHARTS / name / "Chart.yaml").read_text())
    return found


def test_every_chart_has_the_version_of_the_product() -> None:
    version = tomllib.loads((ROOT / "gateway" / "pyproject.toml").read_text())["project"]["version"]

    for folder in FOLDERS:
        described = chart(folder.name)
        assert (described["apiVersion"], described["version"], described["appVersion"]) == ("v2", version, version)
        assert described["kubeVersion"] == f">={OLDEST}.0-0"
    assert len(FOLDERS) == 10
    assert f"Kubernetes {OLDEST} to {NEWEST}" in (UMBRELLA / "Chart.yaml").read_text()


def test_what_a_chart_needs_is_linked_beside_it() -> None:
    for folder in FOLDERS:
        needed = chart(folder.name).get("dependencies", [])
        assert isinstance(needed, list)
        linked = {link.name for link in (folder / "charts").iterdir()} if (folder / "charts").is_dir() else set()

        assert linked == {each["name"] for each in needed}
        for each in needed:
            assert each["repository"] == f"file://../{each['name']}"
            assert (folder / "charts" / each["name"]).readlink() == Path("../..") / each["name"]


def test_a_components_chart_is_one_line_and_its_values() -> None:
    for component in COMPONENTS:
        templates = list((CHARTS / component / "templates").iterdir())

        assert [template.name for template in templates] == ["all.yaml"]
        assert templates[0].read_text() == '{{ include "aiops-lib.component" . }}\n'


def test_the_shared_values_are_the_same_where_they_are_explained_and_where_they_are_used() -> None:
    explained = yaml.safe_load((UMBRELLA / "values.yaml").read_text())["global"]
    used = yaml.safe_load((CHARTS / "aiops-lib" / "values.yaml").read_text())["global"]

    assert explained == used


def test_every_shared_value_is_explained() -> None:
    lines = (UMBRELLA / "values.yaml").read_text().splitlines()
    own = {"image:", "secrets:", "external:", "database:", "nats:", "unleash:", "otlp:", "migrations:", "rollout:"}
    own |= {"analysis:", "monitoring:", "networkPolicy:", "dev:", "global:", "dashboard:"}
    plain = {"pullPolicy: IfNotPresent", "intervalSeconds: 30", "measurements: 6", "to: []", "nodeSelector: {}"}
    plain |= {"tolerations: []", "enabled: false"}

    unexplained = [
        line.strip()
        for before, line in itertools.pairwise(lines)
        if ":" in line
        and not line.strip().startswith(("#", "-", "podSelector"))
        and not before.strip().startswith("#")
        and line.strip() not in own | plain
    ]

    assert unexplained == []


def test_schemas_are_those_that_the_settings_classes_make() -> None:
    command = [sys.executable, str(ROOT / "dev" / "generate_chart_schemas.py"), "--check"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_every_object_of_a_schema_is_closed_or_a_map_of_one_type() -> None:
    def open_objects(schema: object, path: str) -> list[str]:
        found = []
        if isinstance(schema, dict):
            if schema.get("type") == "object" and "additionalProperties" not in schema:
                found.append(path)
            found += [each for key, value in schema.items() for each in open_objects(value, f"{path}/{key}")]
        return found

    for folder in FOLDERS:
        schema = yaml.safe_load((folder / "values.schema.json").read_text())
        others = (
            {f"/properties/{name}" for name in (*COMPONENTS, "dev", "aiops-lib")} if folder.name == "aiops" else set()
        )
        others |= {"/properties/global"} if folder.name == "aiops-lib" else {"/properties/aiops-lib"}

        assert set(open_objects(schema, "")) == others


def test_the_packed_chart_is_whole(charts: Charts, tmp_path: Path) -> None:
    packed = charts.run("package", str(UMBRELLA), "--destination", str(tmp_path))
    (archive,) = tmp_path.glob("aiops-*.tgz")
    with tarfile.open(archive) as files:
        names = files.getnames()
        assert not any(member.issym() or member.islnk() for member in files)
    rendered = charts.run("template", "aiops", str(archive), "--kube-version", f"{NEWEST}.0")

    assert packed.returncode == 0, packed.stderr
    assert "aiops/charts/auth/charts/aiops-lib/templates/_rollout.tpl" in names
    assert rendered.returncode == 0
    assert rendered.stdout.count("kind: Rollout\n") == len(COMPONENTS)


def test_after_an_installation_the_person_reads_what_to_do_next(charts: Charts) -> None:
    def notes(file: str) -> str:
        arguments = [
            "--dry-run=client",
            "--namespace",
            "house",
            "--values",
            str(UMBRELLA / "ci" / f"{file}-values.yaml"),
        ]
        return charts.run("install", "aiops", str(UMBRELLA), *arguments).stdout.partition("NOTES:")[2]

    assert "https://aiops.example.com" in notes("production")
    assert "kubectl argo rollouts --namespace house promote aiops-auth" in notes("production")
    assert "port-forward service/aiops-gateway 8080" in notes("minimal")
    assert "PostgreSQL and NATS of this release are for development" in notes("kind")
    assert "http://aiops.localhost" in notes("kind")
