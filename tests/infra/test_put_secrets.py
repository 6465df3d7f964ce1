"""The way of an installation's secrets into Secrets Manager, with an `aws` that writes down what it was given."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.infra.tree import secret_entries

ROOT = Path(__file__).resolve().parents[2]
AWS = """#!/bin/sh
echo "$*" >>"$WORLD/asked"
[ "$4" != "$REFUSED" ] || { echo "no such secret" >&2; exit 254; }
printf '{"%s": %s}\\n' "$4" "$(cat)" >>"$WORLD/stored"
"""


@pytest.fixture(scope="module")
def manifests() -> str:
    command = [sys.executable, "-m", "aiops_cli", "secrets", "generate", "--kubernetes", "--database-host", "db"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def put(world: Path, given: str, *, refused: str = "nothing-at-all") -> "subprocess.CompletedProcess[str]":
    program = world / "aws"
    program.write_text(AWS)
    program.chmod(0o755)
    environment = {**os.environ, "WORLD": str(world), "REFUSED": refused, "PATH": f"{world}:{os.environ['PATH']}"}
    command = [sys.executable, str(ROOT / "dev" / "put_secrets.py"), "aiops-prod"]
    return subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=False)


def test_every_secret_is_stored_under_the_name_and_with_the_keys_of_its_entry(tmp_path: Path, manifests: str) -> None:
    done = put(tmp_path, manifests)

    stored = [json.loads(line) for line in (tmp_path / "stored").read_text().splitlines()]
    keys = {name: sorted(value) for each in stored for name, value in each.items()}
    entries = secret_entries()
    del entries["aiops-unleash"]  # an operator's own, where there is an Unleash server
    assert done.returncode == 0, done.stderr
    assert keys == {f"aiops-prod/{name}": sorted(names) for name, names in entries.items()}


def test_the_rest_is_handed_on_and_no_value_is_seen(tmp_path: Path, manifests: str) -> None:
    values = [
        value
        for each in yaml.safe_load_all(manifests)
        if each["kind"] == "Secret"
        for value in each["stringData"].values()
    ]

    done = put(tmp_path, manifests)

    assert [(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(done.stdout)][:1] == [
        ("ConfigMap", "aiops-trust")
    ]
    seen = done.stdout + done.stderr + (tmp_path / "asked").read_text()
    assert len(values) > 20
    assert [value for value in values if value.strip() in seen] == []


def test_a_refusal_ends_it(tmp_path: Path, manifests: str) -> None:
    done = put(tmp_path, manifests, refused="aiops-prod/aiops-logs")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.endswith("aiops-prod/aiops-logs could not be stored:\nno such secret\n\n")
    assert "aiops-tickets" not in (tmp_path / "stored").read_text()


def test_nothing_to_store_is_told(tmp_path: Path) -> None:
    done = put(tmp_path, "")

    assert done.returncode == 1
    assert done.stderr.startswith("There is no Secret in what was read.")
    assert not (tmp_path / "asked").exists()
