"""Terraform on the tree: format, types against the provider's schema, and the tests that each folder brings."""

import json
from pathlib import Path

import pytest
from tests.infra.terraform import NotHereError, Terraform, find
from tests.infra.tree import ENVIRONMENTS, FOLDERS, TREE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_files_are_formatted(terraform: Terraform) -> None:
    done = terraform.run(".", "fmt", "-check", "-recursive", "-diff")

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_valid(terraform: Terraform, environment: str) -> None:
    terraform.initialise(environment)

    done = terraform.run(environment, "validate", "-json")

    assert json.loads(done.stdout)["diagnostics"] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_tests_of_a_folder_pass(terraform: Terraform, folder: str) -> None:
    terraform.initialise(folder)

    done = terraform.run(folder, "test", "-no-color")

    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 failed" in done.stdout


def test_a_variable_without_its_check_is_noticed(terraform: Terraform) -> None:
    folder = "modules/handover"
    terraform.initialise(folder)
    variables = terraform.tree / folder / "variables.tf"
    whole = variables.read_text()

    variables.write_text(whole.replace('can(regex("^[a-z](', 'true || can(regex("^[a-z]('))
    done = terraform.run(folder, "test", "-no-color")
    variables.write_text(whole)

    assert done.returncode == 1
    assert "var.namespace, was expected to report an error" in " ".join((done.stdout + done.stderr).split())


def test_a_machine_without_the_provider_reads_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("TF_PLUGIN_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotHereError, match="make terraform-provider"):
        find(tmp_path / "copy")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotHereError, match="terraform is not installed"):
        find(tmp_path / "other")


def test_the_tree_has_the_folders_of_the_table() -> None:
    assert {path.parent.relative_to(TREE).as_posix() for path in TREE.rglob("versions.tf")} == set(FOLDERS)
