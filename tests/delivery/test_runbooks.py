"""What a runbook tells to type is there: commands, make targets, files, values, workflows; and what `aiops` prints."""

import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from aiops_cli.app import COMMANDS, app

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
PROGRAMS = {"aiops", "docker", "git", "helm", "kubectl", "make", "skaffold"}
BUILTINS = {"cp", "export", "mkdir", "read", "rm"}
PIPES = {"base64"}


def commands(runbook: Path) -> Iterator[list[str]]:
    """Every command of the console blocks, each part of a pipe apart, without settings before and files behind it."""
    for block in re.findall(r"```console\n(.*?)```", runbook.read_text(), flags=re.DOTALL):
        for line in re.findall(r"^\s*\$ ((?:.*\\\n)*.*)$", block, flags=re.MULTILINE):
            typed = re.sub(r"\s+#.*$", "", line.replace("\\\n", " "))
            for part in re.split(r"\s\|\s(?=[a-z])", typed):
                words = shlex.split(re.sub(r"\s>\s\S+$", "", part))
                while re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                yield words


def options_of(words: list[str]) -> tuple[str, set[str]]:
    """What the `aiops` command of these words is called, and the options that it takes.

    Raises:
        AssertionError: there is no such command.
    """
    assert words[0] in COMMANDS, f"aiops {words[0]}"
    found = getattr(importlib.import_module(f"aiops_cli.{COMMANDS[words[0]][0].partition(':')[0]}"), "app", None)
    path = words[:2] if found is not None else words[:1]
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
    assert shown.exit_code == 0, f"aiops {' '.join(path)}"
    return " ".join(path), set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown.output))


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_every_command_is_one_that_is_known(runbook: Path) -> None:
    known = PROGRAMS | BUILTINS | PIPES

    unknown = [words for words in commands(runbook) if words[0] not in known and not (ROOT / words[0]).is_file()]

    assert unknown == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_every_make_target_is_there(runbook: Path) -> None:
    typed = [words[1] for words in commands(runbook) if words[0] == "make"]
    named = re.findall(r"`make ([a-z-]+)", runbook.read_text())

    assert [target for target in [*typed, *named] if target not in TARGETS] == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_every_aiops_command_and_option_is_there(runbook: Path) -> None:
    typed = [words[1:] for words in commands(runbook) if words[0] == "aiops"]
    named = [shlex.split(words) for words in re.findall(r"`aiops ([a-z][^`\n]*)`", runbook.read_text())]

    for words in [*typed, *named]:
        command, options = options_of(words)
        used = {word.partition("=")[0] for word in words if word.startswith("-")}

        assert used <= options, f"aiops {command}"


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_every_file_of_the_tree_is_there(runbook: Path) -> None:
    folders = "charts|dev|docs|infra|services|.github"
    named = set(re.findall(rf"(?<![\w/.])((?:{folders})/[\w./-]+[\w])", runbook.read_text()))

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_link_between_documents_and_into_a_page_leads_somewhere() -> None:
    dead = []
    for document in (ROOT / "docs").rglob("*.md"):
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)(#[^)\s]*)?\)", document.read_text()):
            page = document.parent / target if target else document
            headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE) if page.is_file() else []
            anchors = {"#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            if not page.exists() or (anchor and anchor not in anchors):
                dead.append(f"{document.relative_to(ROOT)} -> {target}{anchor}")

    assert dead == []


def test_the_example_of_values_renders_behind_those_of_production(tmp_path: Path) -> None:
    (values,) = re.findall(
        r"```yaml\n(# own\.yaml\n.*?)```", (ROOT / "docs/runbooks/install.md").read_text(), re.DOTALL
    )
    (tmp_path / "own.yaml").write_text(values)
    found = subprocess.run(
        [sys.executable, ROOT / "dev" / "helm.py"], capture_output=True, text=True, timeout=600, check=False
    )
    if found.returncode:
        pytest.skip(found.stderr.strip())

    values_files = ["--values", "charts/aiops/ci/production-values.yaml", "--values", str(tmp_path / "own.yaml")]
    done = subprocess.run(
        [found.stdout.strip(), "template", "aiops", "charts/aiops", *values_files],
        cwd=ROOT,
        env={f"HELM_{name}_HOME": str(tmp_path) for name in ("CACHE", "CONFIG", "DATA")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    assert [document["kind"] for document in documents if document["kind"] == "ExternalSecret"] == []
    assert [
        rule["host"] for document in documents if document["kind"] == "Ingress" for rule in document["spec"]["rules"]
    ] == ["aiops.example.com"]


def test_secrets_are_made_as_the_runbook_shows_them(tmp_path: Path) -> None:
    out = tmp_path / "installation"
    (tmp_path / "admin-password").write_text("a password of the administrator\n")
    options = ["--database-host", "db.example.com", "--database-parameters", "sslmode=verify-full"]
    first = [*options, "--database-admin-password-file", str(tmp_path / "admin-password")]
    text = (ROOT / "docs" / "runbooks" / "install.md").read_text()

    made = CliRunner().invoke(app, ["secrets", "generate", "--out", str(out), *first])
    printed = CliRunner().invoke(app, ["secrets", "generate", "--kubernetes", "--out", str(out), *options])

    objects = [(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(printed.output)]
    assert made.output.replace(str(out), "installation") in text
    assert (out / "migrate" / "AIOPS_ADMIN_DATABASE_URL").is_file()
    assert (out / "nats" / "authorization.conf").is_file()
    assert {("Secret", "aiops-auth"), ("Secret", "aiops-database-admin"), ("ConfigMap", "aiops-trust")} <= set(objects)
