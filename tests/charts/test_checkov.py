"""What a checker of manifests finds, with a Rollout seen as the Deployment that it would be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.charts.rendering import ROOT, Rendered
from tests.charts.validation import as_deployment

CANNOT_INSTALL = 3
EXCEPTIONS = {
    "CKV_K8S_11": "a limit of CPU stretches moments of work; memory is what is limited",
    "CKV_K8S_15": "images have a version and are not changed behind it: IfNotPresent is right",
    "CKV_K8S_21": "the namespace is the release's: helm's --namespace",
    "CKV_K8S_43": "images are named by the version of the release; a registry with unchangeable tags keeps it",
    "CKV_K8S_40": "the engines for one machine run as the users that their images were made for",
}


@pytest.mark.parametrize("name", ["production", "kind"])
def test_it_finds_nothing_but_the_exceptions(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    rendered: Rendered = request.getfixturevalue(name)
    things = [as_deployment(thing) if thing["kind"] == "Rollout" else thing for thing in rendered.objects]
    file = tmp_path / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(things))

    done = subprocess.run(
        [sys.executable, str(ROOT / "dev" / "checkov.py"), str(file), "kubernetes"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode == CANNOT_INSTALL:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(done.stderr.strip())

    assert done.returncode == 1, done.stderr
    found = {check: line for line in done.stdout.splitlines() for check in re.findall(r"CKV\w+", line)}
    engines = {"CKV_K8S_40"} if name == "production" else set()
    assert set(found) == set(EXCEPTIONS) - engines, found
