"""Writes docs/configuration.md from the settings classes: every variable, its default, and what it says.

    python dev/generate_configuration.py [--check]

`--check` changes nothing and ends with 1 when the file is not what the code says.
"""

import argparse
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from chassis.settings import ProcessSettings, ServiceSettings

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "configuration.md"
MEMBERS = ("auth", "logs", "tickets", "changelog", "ai", "gateway")

HEAD = """# Configuration

Made by `python dev/generate_configuration.py` from the settings classes; do not edit.

Every process reads its settings once, from environment variables. A missing or malformed one stops it with a line that
names the variable. Durations are in seconds, sizes in bytes. `make up` sets all of this by itself; an environment
variable of yours wins over what it sets.

`AIOPS_SECRETS_FOLDER` names a folder of files that are called as these variables are, such as `AUTH_DATABASE_URL`: each
sets one that the environment leaves unset. So passwords stay out of the environment, which more can see than files.
"""


def settings_classes() -> dict[str, type[ProcessSettings]]:
    """The settings class of each member of the house that exists, by the member's name."""
    found = {}
    for member in MEMBERS:
        module_name = "gateway.settings" if member == "gateway" else f"{member}_service.settings"
        if importlib.util.find_spec(module_name.partition(".")[0]) is None:
            continue
        module = importlib.import_module(module_name)
        classes = [
            value
            for _, value in inspect.getmembers(module, inspect.isclass)
            if issubclass(value, ProcessSettings) and value.__module__ == module_name
        ]
        if len(classes) != 1:
            raise SystemExit(f"{module_name} must hold exactly one settings class, and holds {len(classes)}")
        found[member] = classes[0]
    return found


def render(classes: dict[str, type[ProcessSettings]]) -> str:
    """The whole page."""
    shared = [name for name, field in ProcessSettings.model_fields.items() if field.validation_alias]
    parts = [HEAD, "## All processes", "", *_table(ProcessSettings, shared)]
    for member, settings in classes.items():
        inherited = [name for name in settings.model_fields if name in _inherited(settings) and name not in shared]
        own = [name for name in settings.model_fields if name not in shared and name not in inherited]
        parts += ["", f"## {member}", "", *_table(settings, [*inherited, *own])]
    return "\n".join(parts) + "\n"


def _inherited(settings: type[ProcessSettings]) -> set[str]:
    return set((ServiceSettings if issubclass(settings, ServiceSettings) else ProcessSettings).model_fields)


def _table(settings: type[ProcessSettings], names: Iterable[str]) -> list[str]:
    rows = ["| Variable | Value | Default | Meaning |", "|---|---|---|---|"]
    for name in names:
        field = settings.model_fields[name]
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{settings.variable(name)}` | {_value(field)} | {_default(field)} | {meaning} |")
    return rows


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"`{default}`" if default not in {None, ""} else ""


def _value(field: FieldInfo) -> str:
    """What may stand there, in words."""
    kind: Any = field.annotation
    options = [option for option in get_args(kind) if option is not type(None)]
    if get_origin(kind) is Literal:
        return " or ".join(f"`{option}`" for option in options)
    if options:
        kind = options[0]
    if hasattr(kind, "__members__"):
        return " or ".join(f"`{member.value}`" for member in kind)
    names = {bool: "`true` or `false`", int: "whole number", float: "number", Path: "path", SecretStr: "secret"}
    return names.get(kind, "text") + _bounds(field)


def _bounds(field: FieldInfo) -> str:
    words = []
    for bound in field.metadata:
        match bound:
            case Ge(ge):
                words.append(f"from {ge}")
            case Gt(gt):
                words.append(f"above {gt}")
            case Le(le):
                words.append(f"to {le}")
            case Lt(lt):
                words.append(f"below {lt}")
    return f", {' '.join(words)}" if words else ""


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    page = render(settings_classes())
    if parser.parse_args().check:
        if not TARGET.exists() or TARGET.read_text() != page:
            sys.exit("docs/configuration.md is not what the code says; run: python dev/generate_configuration.py")
        return
    TARGET.write_text(page)
    print(f"wrote {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
