"""Names of errors: one list, from the exception to whoever reads it."""

import ast
import sys
from pathlib import Path

import pytest

import chassis.db
import chassis.identity
import chassis.rpc.client  # noqa: F401 - so that their errors exist
from aiops.errors.v1.error_reason_pb2 import ErrorReason
from chassis import errors
from chassis.errors import (
    Conflict,
    DeadlineExceeded,
    DomainError,
    ErrorKind,
    Exhausted,
    InvalidInput,
    NotFound,
    Overloaded,
    PermissionDenied,
    RemoteError,
    Unavailable,
    VersionConflict,
)
from chassis.rpc.status import CODES

BASES: set[type[DomainError]] = {InvalidInput, NotFound, Conflict, PermissionDenied, Exhausted, RemoteError}


def subclasses(of: type[DomainError]) -> set[type[DomainError]]:
    return {found for child in of.__subclasses__() for found in {child} | subclasses(child)}


def test_every_error_of_the_chassis_has_a_reason_of_the_proto() -> None:
    named = {cls for cls in subclasses(DomainError) if cls.__module__.startswith("chassis.")} - BASES

    reasons = {cls.reason for cls in named}

    shared = {name for name, number in ErrorReason.items() if 1 <= number < 20}
    assert {f"ERROR_REASON_{reason}" for reason in reasons} == shared
    assert len(reasons) == len(named) == 16


def test_bases_have_a_kind_and_no_reason() -> None:
    assert [hasattr(base, "reason") for base in BASES] == [False] * len(BASES)
    assert {base.kind for base in BASES - {RemoteError}} == {
        ErrorKind.INVALID,
        ErrorKind.NOT_FOUND,
        ErrorKind.CONFLICT,
        ErrorKind.FORBIDDEN,
        ErrorKind.EXHAUSTED,
    }


def test_every_kind_has_a_grpc_code() -> None:
    assert set(CODES) == set(ErrorKind)


def test_the_module_stands_on_the_standard_library_alone() -> None:
    tree = ast.parse(Path(errors.__file__).read_text())

    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {str(module).split(".")[0] for module in modules} <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))


@pytest.mark.parametrize(
    ("error", "message", "metadata"),
    [
        (
            VersionConflict(expected=3, actual=4),
            (
                "this was changed in the meantime: you had read version 3, it is now version 4; "
                "read it again and repeat your change"
            ),
            {"expected": "3", "actual": "4"},
        ),
        (
            Unavailable(dependency="auth"),
            "auth cannot be reached; try again in a moment",
            {"dependency": "auth"},
        ),
        (Unavailable("gone", dependency="auth"), "gone", {"dependency": "auth"}),
        (
            Overloaded(retry_after_seconds=2),
            "too much work just now; try again in 2 s",
            {"retry_after_seconds": "2"},
        ),
        (DeadlineExceeded(), "the answer took too long; try again", {}),
    ],
)
def test_an_error_says_what_to_do(error: DomainError, message: str, metadata: dict[str, str]) -> None:
    assert (str(error), error.message, error.metadata) == (message, message, metadata)


def test_a_remote_error_keeps_its_name_to_itself() -> None:
    first = RemoteError(ErrorKind.CONFLICT, "LAST_ADMIN", "no", {"message": "a", "self": "b"})
    second = RemoteError(ErrorKind.NOT_FOUND, "USER_NOT_FOUND", "none", {})

    assert (first.kind, first.reason, first.metadata) == (
        ErrorKind.CONFLICT,
        "LAST_ADMIN",
        {"message": "a", "self": "b"},
    )
    assert (second.kind, second.reason) == (ErrorKind.NOT_FOUND, "USER_NOT_FOUND")
    assert not hasattr(RemoteError, "reason")
