"""What an operator can set, read once from the environment at start.

`docs/configuration.md` is made from the fields and the docstrings beneath them.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsInvalid(Exception):
    """The process cannot start as it is configured; the text names each setting and what it wants."""


SECRETS_FOLDER = "AIOPS_SECRETS_FOLDER"
"""Names a folder with files that are called as variables are: each sets one that the environment does not."""


def secrets_folder() -> Path | None:
    """The folder of AIOPS_SECRETS_FOLDER, where it is set.

    Raises:
        SettingsInvalid: it names something else.
    """
    named = os.environ.get(SECRETS_FOLDER)
    if named and not Path(named).is_dir():
        raise SettingsInvalid(f"{SECRETS_FOLDER} is {named}, which is no folder. Mount the secrets there, or unset it.")
    return Path(named) if named else None


class ProcessSettings(BaseSettings):
    """What every process has: the services and the gateway."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    def __init__(self, **values: Any) -> None:
        """Read the environment, then the folder of secrets; `values` by field name win over both.

        Raises:
            SettingsInvalid: something is missing or malformed.
        """
        try:
            super().__init__(_secrets_dir=secrets_folder(), **values)
        except OSError as error:
            raise SettingsInvalid(f"{SECRETS_FOLDER}: {error.filename} cannot be read: {error.strerror}") from None
        except ValidationError as error:
            # From None: the cause's text could show what somebody typed into a secret.
            raise SettingsInvalid("\n".join(self._complaint(each) for each in error.errors())) from None

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable that sets a field."""
        alias = cls.model_fields[field].validation_alias
        return alias if isinstance(alias, str) else f"{cls.model_config.get('env_prefix', '')}{field}".upper()

    @classmethod
    def _complaint(cls, error: Any) -> str:
        where = str(error["loc"][0]) if error["loc"] else ""
        field = next((name for name in cls.model_fields if where in {name, cls.variable(name)}), None)
        if field is None:
            return f"{where or cls.__name__}: {error['msg']}"
        says = "is not set" if error["type"] == "missing" else f"is not valid: {error['msg']}"
        return f"{cls.variable(field)} {says}. It is: {cls.model_fields[field].description}"

    environment: Literal["production", "development"] = Field("production", validation_alias="AIOPS_ENVIRONMENT")
    """`development` opens what only a developer needs, such as GraphiQL."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="AIOPS_LOG_LEVEL")
    """Least severity that is logged. Reads are logged at DEBUG, writes and refusals at INFO or above."""

    nats_url: str = Field("nats://127.0.0.1:8422", validation_alias="AIOPS_NATS_URL")
    """Address of NATS; several, separated by commas, for a cluster."""
    nats_monitor_url: str = Field("", validation_alias="AIOPS_NATS_MONITOR_URL")
    """Address of NATS's monitoring port, from which its durability is read (`sync_always`)."""
    nats_durability: Literal["checked", "vouched"] = Field("checked", validation_alias="AIOPS_NATS_DURABILITY")
    """`vouched`: the operator has set `sync_interval: always` on a NATS that has no monitoring address."""
    nats_stream_max_bytes: int = Field(1 << 30, ge=1 << 20, validation_alias="AIOPS_NATS_STREAM_MAX_BYTES")
    """Size of each stream on disk. A full one takes nothing more: facts wait in the outbox until it is larger."""

    trust_file: Path = Field(validation_alias="AIOPS_TRUST_FILE")
    """JSON file with the public key (JWK) of every service, by name."""
    jwks_url: str = Field("http://127.0.0.1:8201/.well-known/jwks.json", validation_alias="AIOPS_JWKS_URL")
    """Where auth publishes the keys that access tokens are checked with."""
    redaction_key_file: Path = Field(validation_alias="AIOPS_REDACTION_KEY_FILE")
    """File with a random key, such as `openssl rand -hex 32` makes: equal personal data gets equal marks
    only under an equal key."""

    tls_ca_file: Path | None = Field(None, validation_alias="AIOPS_TLS_CA_FILE")
    """PEM file with the CA whose certificates gRPC, NATS and Postgres are believed by, both ways. Empty: no TLS; set,
    the two files of each process are needed as well."""

    otlp_endpoint: str = Field("", validation_alias="AIOPS_OTLP_ENDPOINT")
    """Address of an OTLP/HTTP collector for traces, for example `http://127.0.0.1:4318`. Empty: none are sent."""
    unleash_url: str = Field("", validation_alias="AIOPS_UNLEASH_URL")
    """Address of an Unleash server's API, ending in `/api`. Empty: flags come from the flags file alone."""
    unleash_token: SecretStr = Field(SecretStr(""), validation_alias="AIOPS_UNLEASH_TOKEN")
    """Client token for the Unleash server."""
    flags_file: Path | None = Field(None, validation_alias="AIOPS_FLAGS_FILE")
    """JSON or YAML file `{flag: true|false}`: the flags where there is no Unleash, the first values where there is."""

    auth_target: str = Field("127.0.0.1:8101", validation_alias="AIOPS_AUTH_TARGET")
    """gRPC address of auth."""
    logs_target: str = Field("127.0.0.1:8102", validation_alias="AIOPS_LOGS_TARGET")
    """gRPC address of logs."""
    tickets_target: str = Field("127.0.0.1:8103", validation_alias="AIOPS_TICKETS_TARGET")
    """gRPC address of tickets."""
    changelog_target: str = Field("127.0.0.1:8104", validation_alias="AIOPS_CHANGELOG_TARGET")
    """gRPC address of changelog."""
    ai_target: str = Field("127.0.0.1:8105", validation_alias="AIOPS_AI_TARGET")
    """gRPC address of ai."""

    startup_seconds: float = Field(60.0, gt=0, validation_alias="AIOPS_STARTUP_SECONDS")
    """How long a starting process waits for Postgres, NATS and its schema before it gives up."""
    drain_seconds: float = Field(5.0, ge=0, validation_alias="AIOPS_DRAIN_SECONDS")
    """How long a stopping process still takes calls after it said that it is not ready: time to be noticed."""

    nats_user: str = ""
    """User of this process at NATS."""
    nats_password: SecretStr = SecretStr("")
    """Password of that user."""
    key_file: Path
    """PEM file with the Ed25519 private key that this process proves itself with."""
    tls_cert_file: Path | None = None
    """PEM file with this process's certificate, and those between it and the CA, for `AIOPS_TLS_CA_FILE`. Among its
    subject alternative names are `spiffe://aiops/<service>` and `<service>.aiops`."""
    tls_key_file: Path | None = None
    """PEM file with the private key of that certificate; libpq wants mode 0600, or 0640 where root owns it."""


class ServiceSettings(ProcessSettings):
    """What every service has; a subclass sets `env_prefix`, its ports and what it alone needs."""

    database_url: SecretStr
    """Postgres address with the service's `_app` role: `postgresql://<svc>_app:<password>@<host>:<port>/aiops`."""
    grpc_listen: str
    """Address for gRPC."""
    http_listen: str
    """Address for health (`/healthz`, `/readyz`), `/metrics` and what else the service answers over HTTP."""
    pool_size: int = Field(5, ge=1, le=100)
    """Postgres connections kept open for callers, and as many for the service's own work; each twice under load."""
    max_calls: int = Field(32, ge=1, le=1000)
    """Calls answered at once by one process. Who comes on top waits 0.1 s for a turn, and is then told to come back."""
    max_uploads: int = Field(4, ge=1, le=100)
    """Uploads taken at once by one process, apart from other calls. Each holds a Postgres connection to its end."""
    connection_age_seconds: int = Field(60, ge=1, le=300)
    """After this time a caller is asked to connect anew, so that calls leave an old version and find new processes."""
    anchor_url: str = Field("file:anchors", validation_alias="AIOPS_ANCHOR_URL")
    """Where the signed ends of the histories are kept, out of reach of the database: `file:` and a folder that is not
    on the database's machine, or an `https://` address that takes POST and stores each line."""
