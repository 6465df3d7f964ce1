"""The workflows are valid, run nothing but make targets, and can do no more than they need."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
WRITES = {
    ("release.yml", "push", "id-token"),
    ("release.yml", "publish", "contents"),
    ("deploy.yml", "preview", "id-token"),
    ("deploy.yml", "promote", "id-token"),
    ("deploy.yml", "rollback", "id-token"),
}


def load(workflow: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    document: dict[str, Any] = {str(key): value for key, value in yaml.safe_load(workflow.read_text()).items()}
    return {**document, "on": document["True"]}


def steps(workflow: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in load(workflow)["jobs"].items():
        for step in job["steps"]:
            yield name, step


def test_every_workflow_of_the_delivery_is_there() -> None:
    assert [workflow.stem for workflow in WORKFLOWS] == ["charts", "ci", "deploy", "images", "release"]


def test_workflows_are_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]

    done = subprocess.run([*command, *WORKFLOWS], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "ok -- validation done\n", done.stdout + done.stderr


def test_a_workflow_with_a_word_that_none_has_is_found_invalid(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    bad = tmp_path / "bad.yml"
    bad.write_text((ROOT / ".github" / "workflows" / "ci.yml").read_text().replace("runs-on:", "runs-at:"))

    done = subprocess.run([*command, bad], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "runs-at" in done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_run_is_one_make_target(workflow: Path) -> None:
    runs = [step["run"] for _, step in steps(workflow) if "run" in step]

    found = [re.fullmatch(r"make ([a-z][a-z-]*)", run) for run in runs]

    assert runs
    assert [run for run, match in zip(runs, found, strict=True) if match is None or match[1] not in TARGETS] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_a_commit_with_its_version_beside_it(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text())

    theirs = r"(actions|aws-actions|hashicorp)/[a-z-]+"
    unpinned = [use for use in used if not re.fullmatch(rf"{theirs}@[0-9a-f]{{40}}  # v[\d.]+", use)]

    assert used
    assert unpinned == []


def test_one_action_has_one_version_everywhere() -> None:
    used = {use for workflow in WORKFLOWS for use in re.findall(r"uses: (.*)", workflow.read_text())}

    assert len({use.partition("@")[0] for use in used}) == len(used)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_read_and_jobs_write_only_what_is_listed(workflow: Path) -> None:
    document = load(workflow)

    written = {
        (workflow.name, job, scope)
        for job, body in document["jobs"].items()
        for scope, access in body.get("permissions", {}).items()
        if access != "read"
    }

    assert document["permissions"] == {"contents": "read"}
    assert written == {entry for entry in WRITES if entry[0] == workflow.name}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_ends_by_itself_and_leaves_no_credentials(workflow: Path) -> None:
    document = load(workflow)

    jobs = document["jobs"].values()
    checkouts = [step for _, step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]

    assert all(0 < job["timeout-minutes"] <= 40 for job in jobs)
    assert "cancel-in-progress" in document["concurrency"]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_that_a_stranger_writes_reaches_a_shell_or_a_trusted_run(workflow: Path) -> None:
    document = load(workflow)

    assert [step["run"] for _, step in steps(workflow) if "${{" in step.get("run", "")] == []
    assert "pull_request_target" not in document["on"]
    assert "secrets." not in workflow.read_text() or "pull_request" not in document["on"]


def test_pages_are_built_before_there_are_credentials() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]

    orders = {
        name: [(step.get("run") or step["uses"]).partition("@")[0] for step in job["steps"]]
        for name, job in jobs.items()
        if any(step.get("run") == "make pages" for step in job["steps"])
    }

    assert orders.keys() == {"promote", "rollback"}
    for order in orders.values():
        assert order.index("make dashboard") < order.index("aws-actions/configure-aws-credentials")


def test_what_changes_an_environment_runs_in_it_one_at_a_time() -> None:
    document = load(ROOT / ".github" / "workflows" / "deploy.yml")

    assert {job["environment"] for job in document["jobs"].values()} == {"${{ inputs.environment }}"}
    assert document["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}
    assert document["on"].keys() == {"workflow_dispatch"}
    assert document["jobs"]["promote"]["needs"] == ["preview"]


def test_what_reaches_a_cluster_can_run_inside_its_network() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]

    inside = {name for name, job in jobs.items() if "vars.DEPLOY_RUNNER" in job["runs-on"]}

    assert inside == {
        name for name, job in jobs.items() if any("CLUSTER" in step.get("env", {}) for step in job["steps"])
    }
    assert len({job["runs-on"] for name, job in jobs.items() if name in inside}) == 1


def test_terraform_tells_each_variable_that_a_deployment_reads() -> None:
    read = {
        name
        for workflow in WORKFLOWS
        for name in re.findall(r"vars\.([A-Z_]+)", workflow.read_text())
        if name not in {"VALUES", "DEPLOY_RUNNER"}
    }

    assert len(read) >= 7
    for environment in ("dev", "prod"):
        outputs = (ROOT / "infra" / "terraform" / "envs" / environment / "outputs.tf").read_text()
        (told,) = re.findall(r'^output "github_variables" \{\n(.*?)^\}', outputs, flags=re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"^    ([A-Z_]+) +=", told, flags=re.MULTILINE)) == read


def test_what_runs_all_tests_has_terraform_and_its_provider() -> None:
    for workflow in WORKFLOWS:
        for name, job in load(workflow)["jobs"].items():
            said = [(step.get("run") or step["uses"]).partition("@")[0] for step in job["steps"]]
            if "make test" in said:
                wanted = ["hashicorp/setup-terraform", "make terraform-provider", "make test"]
                assert said[-3:] == wanted, f"{workflow.name}: {name}"
