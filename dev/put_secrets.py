"""Puts an installation's secrets into AWS Secrets Manager, from where the charts fetch them.

    aiops secrets generate --kubernetes --out FOLDER ... | python dev/put_secrets.py aiops-prod | kubectl apply -f -

Reads the manifests, gives each Secret as one JSON object to `aws secretsmanager put-secret-value` under PREFIX/NAME,
and prints what is no secret (the ConfigMap), for kubectl. Values pass through pipes alone: no file, no argument, no
output. An entry that Terraform did not make ends it. The administrator's URL stays out: a person needs it, once.
"""

import json
import subprocess
import sys
from typing import Any

import yaml

FOR_A_PERSON_ALONE = "aiops-database-admin"


def put(prefix: str, manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Store the Secrets, and give back what else there is.

    Raises:
        SystemExit: AWS refused one; with its words.
    """
    secrets = [each for each in manifests if each["kind"] == "Secret"]
    if not secrets:
        sys.exit("There is no Secret in what was read. Pipe in what `aiops secrets generate --kubernetes` prints.")
    for secret in secrets:
        name = secret["metadata"]["name"]
        if name == FOR_A_PERSON_ALONE:
            continue
        command = ["aws", "secretsmanager", "put-secret-value", "--secret-id", f"{prefix}/{name}"]
        # Not --cli-input-json, which reads its file twice: of a pipe nothing is left the second time.
        command += ["--secret-string", "file:///dev/stdin"]
        value = json.dumps(secret["stringData"])
        done = subprocess.run(command, input=value, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{prefix}/{name} could not be stored:\n{done.stderr}")
        print(f"{prefix}/{name}: {', '.join(sorted(secret['stringData']))}", file=sys.stderr)
    return [each for each in manifests if each["kind"] != "Secret"]


def main() -> None:
    """Store what comes in."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the prefix
        sys.exit("Usage: aiops secrets generate --kubernetes ... | python dev/put_secrets.py PREFIX")
    manifests = [each for each in yaml.safe_load_all(sys.stdin) if each]
    print(yaml.safe_dump_all(put(sys.argv[1], manifests), sort_keys=False), end="")


if __name__ == "__main__":
    main()
