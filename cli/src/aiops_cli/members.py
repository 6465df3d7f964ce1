"""Who makes up an installation, and what an operator's command is told about it from outside."""

import os

from aiops_cli.failure import ExitCode, Failure

SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
MEMBERS = (*SERVICES, "gateway")


def setting(name: str, meaning: str) -> str:
    """What the environment, or a file of AIOPS_SECRETS_FOLDER, sets.

    Raises:
        Failure: neither does.
    """
    text = optional_setting(name)
    if not text:
        raise Failure(f"{name} is not set. {meaning}", ExitCode.USAGE)
    return text


def optional_setting(name: str) -> str:
    """What the environment, or a file of AIOPS_SECRETS_FOLDER, sets; nothing where neither does.

    Raises:
        Failure: the file cannot be read.
    """
    from chassis.settings import SettingsInvalid, secrets_folder  # noqa: PLC0415 - loads longer than most commands run

    try:
        folder = secrets_folder()
        text = os.environ.get(name, "")
        if not text and folder and (folder / name).exists():
            text = (folder / name).read_text().strip()
    except (SettingsInvalid, OSError) as error:
        raise Failure(str(error), ExitCode.USAGE) from error
    return text
