"""Every history that a service declares: its tables, who sees its fields, and that no credential is among them."""

from importlib.resources import files

import pytest

from chassis.history import Document, History
from chassis.history.declared import declared_histories
from chassis.ids import uuid7
from chassis.testing.history import credentials_in, statements_of, template

DECLARED = [
    (service, h)
    for service in ("auth", "logs", "tickets", "changelog")
    for h in declared_histories(f"{service}_service")
]
each = pytest.mark.parametrize(("service", "history"), DECLARED, ids=lambda value: getattr(value, "kind", value))


def test_the_four_kinds_have_a_history() -> None:
    assert [(service, history.kind) for service, history in DECLARED] == [
        ("auth", "user"),
        ("logs", "log"),
        ("tickets", "ticket"),
        ("changelog", "changelog"),
    ]


@each
def test_its_tables_are_the_template(service: str, history: History) -> None:
    folder = files(f"{service}_service") / "migrations"
    written = [
        statement
        for file in folder.iterdir()
        if file.name.endswith(".sql")
        for statement in statements_of(file.read_text())
    ]

    missing = [statement for statement in template(history.kind, f"{service}_app") if statement not in written]

    assert missing == []


@each
def test_no_credential_is_among_its_fields(service: str, history: History) -> None:
    assert credentials_in(history, []) == []


@each
def test_whoever_keeps_personal_values_can_erase_them(service: str, history: History) -> None:
    personal = {"user", "ticket"}

    assert (history.erase is not None) == (history.kind in personal)


def test_credentials_are_found_by_name_and_by_look() -> None:
    history = DECLARED[0][1]
    document = Document(
        uuid7(), 1, {"email": "a", "password": "x", "proof": {"bcrypt_hash": "y"}, "note": "$2b$12$abc"}
    )

    assert credentials_in(history, [document]) == ["note", "password", "proof.bcrypt_hash"]
