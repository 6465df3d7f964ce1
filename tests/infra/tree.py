"""The folders of infra/terraform, and the blocks in their files."""

import json
import re
from pathlib import Path

TREE = Path(__file__).resolve().parents[2] / "infra" / "terraform"
MODULES = [
    f"modules/{name}"
    for name in ("dashboard", "eks", "firewall", "handover", "iam", "network", "rds", "registry", "secrets")
]
ENVIRONMENTS = ["envs/dev", "envs/prod"]
FOLDERS = [*MODULES, *ENVIRONMENTS]


def blocks(folder: str, kind: str) -> dict[str, str]:
    """The bodies of a folder's blocks of a kind (variable, output), by name."""
    text = "\n".join(file.read_text() for file in sorted((TREE / folder).glob("*.tf")))
    return dict(re.findall(rf'^{kind} "([^"]+)" {{\n(.*?)^}}', text, flags=re.MULTILINE | re.DOTALL))


def secret_entries() -> dict[str, list[str]]:
    """The keys of each entry in Secrets Manager, by its name behind the prefix."""
    text = (TREE / "modules" / "secrets" / "main.tf").read_text()
    found = re.findall(r"^    (aiops-\w+) += (\[.*\])$", text, flags=re.MULTILINE)
    return {name: json.loads(keys) for name, keys in found}
