"""A helm for the session, and the supported values files rendered by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.charts.rendering import ROOT, SUPPORTED, UMBRELLA, Charts, Rendered
from tests.charts.validation import crds_folder


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Charts:
    command = [sys.executable, str(ROOT / "dev" / "helm.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(done.stderr.strip())
    return Charts(Path(done.stdout.strip()), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def crds() -> Path:
    folder = crds_folder()
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: name a folder of CustomResourceDefinitions in AIOPS_CRDS")
    return folder


@pytest.fixture(scope="session")
def minimal(charts: Charts) -> Rendered:
    return charts.render(None, UMBRELLA / "ci" / "minimal-values.yaml")


@pytest.fixture(scope="session")
def production(charts: Charts) -> Rendered:
    return charts.render(None, UMBRELLA / "ci" / "production-values.yaml")


@pytest.fixture(scope="session")
def kind(charts: Charts) -> Rendered:
    return charts.render(None, UMBRELLA / "ci" / "kind-values.yaml")


@pytest.fixture(params=SUPPORTED, ids=lambda file: file.name.removesuffix("-values.yaml"))
def supported(charts: Charts, request: pytest.FixtureRequest) -> Rendered:
    """One after another, each values file that is supported."""
    return charts.render(None, request.param)
