"""What every folder of infra/terraform keeps to; needs no Terraform."""

import re

import pytest
from tests.infra.tree import ENVIRONMENTS, FOLDERS, MODULES, TREE, blocks


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_is_typed_and_described(folder: str) -> None:
    bare = [
        name
        for name, body in blocks(folder, "variable").items()
        if not (
            re.search(r"^  type +=", body, re.MULTILINE)
            and re.search(r'^  description += "\S.+\."$', body, re.MULTILINE)
        )
    ]

    assert bare == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_output_is_described(folder: str) -> None:
    outputs = blocks(folder, "output")

    assert outputs
    assert [
        name for name, body in outputs.items() if not re.search(r'^  description += "\S.+"$', body, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_check_of_a_variable_is_seen_to_refuse(folder: str) -> None:
    checked = {name for name, body in blocks(folder, "variable").items() if "validation {" in body}
    tests = "".join(file.read_text() for file in (TREE / folder / "tests").glob("*.tftest.hcl"))

    refused = {
        name for each in re.findall(r"expect_failures = \[(.*?)\]", tests) for name in re.findall(r"var\.(\w+)", each)
    }

    assert refused == checked


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_pins_terraform_and_the_one_provider(folder: str) -> None:
    versions = (TREE / folder / "versions.tf").read_text()

    assert 'required_version = ">= 1.11"' in versions
    assert re.findall(r'source += "(.*)"', versions) in ([], ["hashicorp/aws"])
    assert re.findall(r'version += "~>(.*)"', versions) in ([], [" 5.100"])


def test_modules_come_from_the_tree() -> None:
    sources = {
        source
        for folder in ENVIRONMENTS
        for file in (TREE / folder).glob("*.tf")
        for source in re.findall(r'^  source += "(.*)"', file.read_text(), re.MULTILINE)
    }

    assert sources == {f"../../{module}" for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_readme_names_every_input_and_output(module: str) -> None:
    readme = (TREE / module / "README.md").read_text()

    missing = [name for kind in ("variable", "output") for name in blocks(module, kind) if f"`{name}`" not in readme]

    assert missing == []


def test_both_environments_take_and_give_the_same() -> None:
    dev, prod = ENVIRONMENTS

    assert blocks(dev, "variable").keys() == blocks(prod, "variable").keys()
    assert blocks(dev, "output") == blocks(prod, "output")
    assert blocks(dev, "module").keys() == blocks(prod, "module").keys()


def test_no_resource_holds_the_value_of_a_secret() -> None:
    text = "\n".join(file.read_text() for file in TREE.rglob("*.tf"))

    assert "aws_secretsmanager_secret_version" not in text
    assert "random_password" not in text
    assert not re.search(r"^ +(master_)?password +=", text, re.MULTILINE)
