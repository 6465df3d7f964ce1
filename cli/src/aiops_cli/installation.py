"""What one installation is made of before it runs: keys, passwords, and the files and manifests worked out of them.

Keys and passwords are made once and never again. All else follows from them, from the address of the database and from
the registry of events, so it can be written anew at every upgrade.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any
from urllib.parse import quote

import yaml

from aiops_cli.members import MEMBERS, SERVICES
from chassis.installation import new_key, new_password, new_private_key, public_jwk
from chassis.nats_config import nats_config

KEYS = ("redaction_key", "key_encryption_key")


@dataclass(frozen=True)
class Database:
    """Where PostgreSQL is."""

    host: str = "aiops-postgres"
    port: str = "5432"
    name: str = "aiops"
    parameters: str = ""
    """Behind the question mark of each URL, such as `sslmode=verify-full`."""
    admin: str = "postgres"

    def url(self, user: str, password: str) -> str:
        """The address for a role."""
        tail = f"?{self.parameters}" if self.parameters else ""
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@{self.host}:{self.port}/{self.name}{tail}"


def completed(known: Mapping[str, str]) -> dict[str, str]:
    """The secrets that are there and those that were missing, by name."""
    made = dict(known)
    for service in SERVICES:
        for role in ("owner", "app"):
            made.setdefault(f"{service}_{role}", new_password())
    for member in MEMBERS:
        made.setdefault(f"{member}_nats", new_password())
        made.setdefault(f"{member}_key", new_private_key())
    for name in KEYS:
        made.setdefault(name, new_key())
    made.setdefault("setup_token", new_password())
    made.setdefault("database_admin", new_password())
    return made


def trust(secrets: Mapping[str, str]) -> str:
    """The trust file: whose word is whose, by their public keys."""
    return json.dumps({member: public_jwk(secrets[f"{member}_key"]) for member in MEMBERS}, indent=1)


def nats_authorization(secrets: Mapping[str, str]) -> str:
    """The block of a NATS configuration that gives each process a user, and that user what the registry gives it."""
    with as_file(files("aiops_cli") / "events.yaml") as registry:
        return nats_config(registry, {member: secrets[f"{member}_nats"] for member in MEMBERS})


def for_folder(secrets: Mapping[str, str], database: Database) -> dict[str, str]:
    """Every file below the folder, by its path: one sub-folder for each container, which mounts that alone."""
    result: dict[str, str] = {
        "postgres/admin-password": secrets["database_admin"],
        "nats/authorization.conf": nats_authorization(secrets),
        "migrate/AIOPS_ADMIN_DATABASE_URL": database.url(database.admin, secrets["database_admin"]),
        "migrate/redaction.key": secrets["redaction_key"],
    }
    trusted = trust(secrets)
    for member in MEMBERS:
        result |= {
            f"{member}/key.pem": secrets[f"{member}_key"],
            f"{member}/trust.json": trusted,
            f"{member}/redaction.key": secrets["redaction_key"],
            f"{member}/{member.upper()}_NATS_PASSWORD": secrets[f"{member}_nats"],
        }
    for service in SERVICES:
        url = database.url(f"{service}_app", secrets[f"{service}_app"])
        owner = database.url(f"{service}_owner", secrets[f"{service}_owner"])
        result[f"{service}/{service.upper()}_DATABASE_URL"] = url
        result[f"migrate/{service.upper()}_DATABASE_URL"] = url
        result[f"migrate/{service.upper()}_OWNER_DATABASE_URL"] = owner
    return result | {
        "auth/key-encryption.key": secrets["key_encryption_key"],
        "auth/setup-token": secrets["setup_token"],
    }


def for_kubernetes(secrets: Mapping[str, str], database: Database, namespace: str) -> str:
    """The Secrets and the ConfigMap that the charts mount, as YAML documents."""
    own: dict[str, dict[str, str]] = {
        f"aiops-{member}": {"key.pem": secrets[f"{member}_key"], "nats-password": secrets[f"{member}_nats"]}
        for member in MEMBERS
    }
    for service in SERVICES:
        own[f"aiops-{service}"] |= {
            "database-url": database.url(f"{service}_app", secrets[f"{service}_app"]),
            "owner-database-url": database.url(f"{service}_owner", secrets[f"{service}_owner"]),
        }
    own["aiops-auth"] |= {"key-encryption.key": secrets["key_encryption_key"], "setup-token": secrets["setup_token"]}
    own["aiops-shared"] = {"redaction.key": secrets["redaction_key"]}
    own["aiops-database-admin"] = {"admin-url": database.url(database.admin, secrets["database_admin"])}
    own["aiops-nats"] = {"authorization.conf": nats_authorization(secrets)}
    manifests = [_manifest("Secret", name, namespace, texts) for name, texts in own.items()]
    manifests.append(_manifest("ConfigMap", "aiops-trust", namespace, {"trust.json": trust(secrets)}))
    return yaml.safe_dump_all(manifests, sort_keys=False, explicit_start=True)


def _manifest(kind: str, name: str, namespace: str, texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "aiops"}},
        **({"type": "Opaque", "stringData": dict(texts)} if kind == "Secret" else {"data": dict(texts)}),
    }
