"""A release is of one version throughout, and its notes account for the commits since the one before."""

import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    sys.path.insert(0, str(ROOT / "dev"))
    specification = importlib.util.spec_from_file_location("release", ROOT / "dev" / "release.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    sys.path.remove(str(ROOT / "dev"))
    return module


@pytest.fixture
def version() -> str:
    found = re.search(r'^version = "(.*)"$', (ROOT / "cli" / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository with a release, and a feature and a chore after it."""
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    commands = [["init", "--quiet"]]
    for subject in ("feat: begin", "feat(pay): take vouchers", "chore: tidy up"):
        commands.append(["commit", "--quiet", "--allow-empty", "-m", subject])
        commands += [["tag", "v1.0.0"]] if subject == "feat: begin" else []
    for command in commands:
        subprocess.run(["git", *identity, *command], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_the_tree_names_one_version_throughout(release: ModuleType, version: str) -> None:
    named = release.versions_named(ROOT)

    assert {"chassis/pyproject.toml", "services/logs/pyproject.toml", "charts/aiops/Chart.yaml"} <= named.keys()
    assert {file: other for file, other in named.items() if other != version} == {}


@pytest.mark.parametrize("wrong", ["", "1.4", "v1.4.0", "1.4.0; reboot", "01.4.0"])
def test_what_is_no_version_is_refused(release: ModuleType, wrong: str) -> None:
    with pytest.raises(release.ReleaseError, match=r"it is a semantic version such as VERSION=1\.4\.0"):
        release.check(ROOT, wrong)


def test_a_file_of_another_version_is_named(release: ModuleType, tmp_path: Path) -> None:
    for name, told in (("chassis", "1.4.0"), ("cli", "1.3.9")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(f'[project]\nversion = "{told}"\n')
    (tmp_path / "charts" / "aiops").mkdir(parents=True)
    (tmp_path / "charts" / "aiops" / "Chart.yaml").write_text("version: 1.4.0\nappVersion: 1.3.0\n")

    with pytest.raises(release.ReleaseError) as refused:
        release.check(tmp_path, "1.4.0")

    assert str(refused.value).splitlines()[1:] == [
        "  charts/aiops/Chart.yaml (appVersion): 1.3.0",
        "  cli/pyproject.toml: 1.3.9",
    ]


def test_notes_begin_after_the_release_before(release: ModuleType, history: Path) -> None:
    notes = release.notes(history, "1.1.0")

    assert "**pay:** Take vouchers" in notes
    assert "Begin" not in notes


def test_a_tagged_version_heads_its_notes(release: ModuleType, history: Path) -> None:
    subprocess.run(["git", "tag", "v1.1.0"], cwd=history, check=True)

    assert release.notes(history, "1.1.0").startswith("## [v1.1.0] - ")


def test_a_release_has_notes_charts_and_their_checksums(release: ModuleType, version: str, tmp_path: Path) -> None:
    files = release.pack(ROOT, version, tmp_path / "release")

    assert [file.name for file in files] == [f"aiops-{version}.tgz", "notes.md", "SHA256SUMS"]
    sums = dict(line.split("  ")[::-1] for line in files[-1].read_text().splitlines())
    assert sums == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files[:-1]}


def test_nothing_is_published_that_was_not_packed(
    release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gh").write_text("#!/bin/sh\ntouch asked\n")
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    with pytest.raises(release.ReleaseError, match=r"nothing of 1\.4\.0 is packed"):
        release.publish("1.4.0", tmp_path / "release")

    assert not (tmp_path / "asked").exists()


def test_publishing_names_the_tag_the_notes_and_every_file(
    release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("notes.md", "aiops-1.4.0.tgz", "SHA256SUMS"):
        (folder / name).touch()
    (tmp_path / "gh").write_text('#!/bin/sh\necho "$@" > "${0%/*}/asked"\n')
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    release.publish("1.4.0", folder)

    assert (tmp_path / "asked").read_text() == (
        f"release create v1.4.0 --verify-tag --title 1.4.0 --notes-file {folder / 'notes.md'} "
        f"{folder / 'SHA256SUMS'} {folder / 'aiops-1.4.0.tgz'}\n"
    )
