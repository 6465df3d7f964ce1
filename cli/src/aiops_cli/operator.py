"""What commands of operators share: the databases as their owners, the keys, and where the anchors are."""

from pathlib import Path
from typing import TYPE_CHECKING

from aiops_cli.failure import ExitCode, Failure
from aiops_cli.members import SERVICES, setting

if TYPE_CHECKING:
    from chassis.history.recorder import Recorder
    from chassis.history.store import FolderStore, WebStore


def chosen(services: list[str] | None) -> list[str]:
    """The services that were named, or all.

    Raises:
        Failure: there is none of that name.
    """
    names = services or list(SERVICES)
    unknown = sorted(set(names) - set(SERVICES))
    if unknown:
        raise Failure(f"There is no service {', '.join(unknown)}. Known: {', '.join(SERVICES)}.", ExitCode.USAGE)
    return names


def owner_url(service: str) -> str:
    """The address of a service's schema for the role that owns it."""
    variable = f"{service.upper()}_OWNER_DATABASE_URL"
    return setting(variable, f"It is the URL of the role {service}_owner, which owns the schema.")


def recorder_of(service: str) -> "Recorder | None":
    """What knows a service's histories and opens what is sealed in them; None where it keeps none."""
    from chassis.history.declared import declared_histories  # noqa: PLC0415 - most commands need none of it
    from chassis.history.recorder import Recorder  # noqa: PLC0415

    histories = declared_histories(f"{service}_service")
    if not histories:
        return None
    key = _read("AIOPS_REDACTION_KEY_FILE", "It is the file with the installation's redaction key.")
    return Recorder(histories, key.strip(), service)


def trust_file() -> Path:
    """The file with the public key of every service."""
    return Path(setting("AIOPS_TRUST_FILE", "It is the file with the public key of every service."))


def store() -> "FolderStore | WebStore":
    """Where anchors and erasures are kept."""
    from chassis.history.store import store_at  # noqa: PLC0415 - as above

    try:
        return store_at(setting("AIOPS_ANCHOR_URL", "It says where anchors are kept: file:<folder>, or an address."))
    except ValueError as error:
        raise Failure(str(error), ExitCode.USAGE) from error


def _read(variable: str, meaning: str) -> bytes:
    path = Path(setting(variable, meaning))
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{variable}: {path} cannot be read: {error.strerror}", ExitCode.USAGE) from error
