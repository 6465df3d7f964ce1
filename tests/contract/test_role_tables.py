"""Every RPC has a rule, every field that can leave a service has a row, and what has none does not leave."""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import aiops
from aiops.common.v1.actor_pb2 import Actor
from chassis.history.declared import declared_histories
from chassis.identity import Call, Role, Viewer
from chassis.ids import uuid7
from chassis.masking import EVERYBODY, NO_ONE, Kind, Mask, Table, fields, held_by, rows, seen_by, table
from chassis.policy import Rule
from chassis.process import EVERYWHERE
from chassis.testing.policy import answers_of, strange_rows, strange_rules

OWN = {
    "auth": ("auth", "identity"),
    "logs": ("logs",),
    "tickets": ("tickets",),
    "changelog": ("changelog",),
    "ai": ("ai",),
}
"""Which packages of RPCs a service answers by itself."""


def every_service() -> dict[str, list[ServiceDescriptor]]:
    """Every gRPC service of the installation, by its package: "tickets", "history"."""
    found = defaultdict(list)
    for module in pkgutil.walk_packages(aiops.__path__, "aiops."):
        if module.name.endswith("_pb2"):
            for service in importlib.import_module(module.name).DESCRIPTOR.services_by_name.values():
                found[service.file.package.split(".")[1]].append(service)
    return found


SERVICES = every_service()
OFFERED = [
    service for name, each in SERVICES.items() for service in each if not any(name in own for own in OWN.values())
]
TABLES: dict[str, tuple[Mapping[str, Rule], Table, list[ServiceDescriptor]]] = {
    name: (policy.RULES, policy.TABLE, [service for package in OWN[name] for service in SERVICES[package]])
    for name, policy in ((name, importlib.import_module(f"{name}_service.policy")) for name in OWN)
}
TABLES["every service"] = (
    {name: rule for offered, _ in EVERYWHERE for name, rule in offered.items()},
    Table({name: each for _, offered in EVERYWHERE for name, each in offered.fields.items()}, {}, {}, frozenset()),
    OFFERED,
)
of_each = pytest.mark.parametrize("name", TABLES)


@of_each
def test_every_rpc_has_a_rule_and_every_field_of_an_answer_a_row(name: str) -> None:
    rules, rights, services = TABLES[name]

    assert strange_rules(rules, services) == []
    assert strange_rows(rights, services) == []


@of_each
def test_a_field_without_a_row_is_named_and_cleared(name: str) -> None:
    """Take away one row after the other, as if the field were new: the check names it, and no viewer gets it."""
    _, rights, services = TABLES[name]
    cells = [(message, field) for message, listed in rights.fields.items() for field in listed]
    answers = answers_of(services)

    for message, field in cells:
        if message not in answers or field not in answers[message].fields_by_name:
            continue
        without = {**rights.fields, message: {n: who for n, who in rights.fields[message].items() if n != field}}
        cut = replace(rights, fields=without, objects={})
        assert f"{message}.{field}" in strange_rows(cut, services)
        for viewer in VIEWERS.values():
            masked = Mask(cut)(viewer, holding(answers[message], field))
            assert masked.ListFields() == [], f"{message}.{field}"


@of_each
@pytest.mark.parametrize("kind", Kind)
def test_each_viewer_gets_of_each_message_the_fields_of_his_rows_and_no_other(name: str, kind: Kind) -> None:
    _, rights, services = TABLES[name]
    mask = Mask(replace(rights, objects={}))

    for message, descriptor in answers_of(services).items():
        for field in descriptor.fields:
            whole = holding(descriptor, field.name)
            got = {field.name for field, _ in mask(VIEWERS[kind], whole).ListFields()}
            assert got == (
                {field.name} if kind in rights.fields.get(message, {}).get(field.name, NO_ONE).kinds else set()
            )
            assert whole == holding(descriptor, field.name)


def test_what_is_unknown_to_this_version_does_not_leave() -> None:
    newer = b"\x12\x01u" + b"\x9a\x06\x06secret"

    for whole in (True, False):
        given = Actor.FromString(newer)
        who = EVERYBODY if whole else seen_by(Kind.ADMIN)
        mask = Mask(table(fields("aiops.common.v1", {"Actor": {**rows(EVERYBODY, "id"), **rows(who, "kind")}})))
        assert given.SerializeToString() == newer
        assert mask(VIEWERS[Kind.OPS], given).SerializeToString() == b"\x12\x01u"


def test_histories_are_masked_by_the_rows_of_the_table() -> None:
    for name in ("auth", "logs", "tickets", "changelog"):
        (history,) = declared_histories(f"{name}_service")
        assert history.visible is importlib.import_module(f"{name}_service.policy").HISTORY


def viewer(kind: Kind) -> Call:
    """A call for somebody of this kind."""
    if kind in {Kind.NOBODY, Kind.SERVICE}:
        return Call("gateway" if kind is Kind.NOBODY else "logs")
    role = Role(kind.value) if kind.value in set(Role) else None
    machine: Any = "service_account" if kind is Kind.MACHINE else "user"
    return Call("gateway", Viewer(uuid7(), machine, role, frozenset(), None, "t", datetime(2026, 1, 1, tzinfo=UTC)))


VIEWERS = {kind: viewer(kind) for kind in Kind}


def holding(descriptor: Descriptor, *names: str, depth: int = 2) -> Message:
    """A message in which these fields say something, or all, as far as they do not exclude each other."""
    message: Message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if not names or field.name in names:
            _fill(message, field, depth)
    return message


def _fill(message: Any, field: FieldDescriptor, depth: int) -> None:
    target = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        target["key"] = "value"
    elif field.message_type is not None:
        inner = holding(field.message_type, depth=depth - 1) if depth and held_by(field)[0] else None
        if field.is_repeated:
            target.append(inner) if inner is not None else target.add()
        elif inner is not None:
            target.CopyFrom(inner)
        else:
            target.SetInParent()
    else:
        value = b"bytes" if field.type == FieldDescriptor.TYPE_BYTES else _VALUES[field.cpp_type]
        target.append(value) if field.is_repeated else setattr(message, field.name, value)


_VALUES: dict[int, Any] = {
    FieldDescriptor.CPPTYPE_STRING: "words",
    FieldDescriptor.CPPTYPE_BOOL: True,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.5,
    FieldDescriptor.CPPTYPE_FLOAT: 0.5,
    **dict.fromkeys(
        (
            FieldDescriptor.CPPTYPE_INT32,
            FieldDescriptor.CPPTYPE_INT64,
            FieldDescriptor.CPPTYPE_UINT32,
            FieldDescriptor.CPPTYPE_UINT64,
            FieldDescriptor.CPPTYPE_ENUM,
        ),
        1,
    ),
}
