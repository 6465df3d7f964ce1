"""What leaves a service, field by field and object by object, as its table says; what is in no table does not leave.

The table is data. A plan is compiled from it once for each kind of message and of viewer, and says only what there is
to do: a part that the viewer sees whole costs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.identity import Call, Viewer

Key = TypeVar("Key")

WELL_KNOWN = "google.protobuf"
"""Of this package, a value is one thing: the row of its field says who sees it."""
CURSORS = "cursors"
"""A list of this name runs beside the list of things in its message."""


class Kind(StrEnum):
    """What somebody is to a table: one of these, and never two."""

    ADMIN = "admin"
    OPS = "ops"
    HR = "hr"
    NO_ROLE = "no role"
    MACHINE = "machine"
    """A service account, by its token's scopes."""
    SERVICE = "service"
    """Another service in its own work, on nobody's behalf."""
    NOBODY = "nobody"
    """Whoever has not logged in."""


@dataclass(frozen=True)
class Audience:
    """Who sees something, of those who get the answer at all."""

    kinds: frozenset[Kind]
    owner: str = ""
    """Where the message holds the id of the user whose it is, as in "reporter.user_id": he sees it too."""

    def __call__(self, call: Call) -> bool:
        """Whether it is seen by whoever a call is for, owners aside."""
        return kind_of(call) in self.kinds

    def __str__(self) -> str:
        """As a person reads it."""
        if self.kinds == frozenset(Kind):
            return "everybody"
        names = [kind.value for kind in Kind if kind in self.kinds]
        return ", ".join([*names, *([f"the user in `{self.owner}`"] if self.owner else [])]) or "no one"


def seen_by(*kinds: Kind, owner: str = "") -> Audience:
    """An audience of these kinds."""
    return Audience(frozenset(kinds), owner)


EVERYBODY = seen_by(*Kind)
"""Whoever the RPC admits."""
NO_ONE = seen_by()

Rows: TypeAlias = Mapping[str, Audience]
"""Who sees a field, by its name."""
Fields: TypeAlias = Mapping[str, Rows]
"""Rows by the full name of a message."""


@dataclass(frozen=True)
class Case:
    """For whom an object exists that holds these values."""

    audience: Audience
    where: Mapping[str, object]
    """Field -> value; enum values by name. Empty: in all other cases."""


Objects: TypeAlias = Mapping[str, Sequence[Case]]
"""By the full name of a message, its cases: the first that fits counts, and where none fits, it exists for no one."""


@dataclass(frozen=True)
class Table:
    """All that a service says about what leaves it."""

    fields: Fields
    objects: Objects
    """Messages that are not here exist for whoever gets the answer."""
    receipts: Mapping[str, frozenset[str]]
    """In a response of this full name, an object that does not exist for the caller keeps these fields."""
    proofs: frozenset[str]
    """RPCs by which the caller has just proved to be the user in the answer: there he counts as its owner."""


def names(text: str) -> frozenset[str]:
    """Names that are separated by spaces."""
    return frozenset(text.split())


def rows(audience: Audience, of: str) -> Rows:
    """One row for each of these fields, which are separated by spaces."""
    return dict.fromkeys(of.split(), audience)


def fields(package: str, messages: Mapping[str, Rows]) -> Fields:
    """Rows by full name, for messages of one package; several names, separated by spaces, share their rows."""
    return {f"{package}.{name}": rows for names, rows in messages.items() for name in names.split()}


COMMON = fields(
    "aiops.common.v1",
    {
        "Actor": rows(EVERYBODY, "kind id"),
        "PageInfo": rows(EVERYBODY, "has_next_page end_cursor"),
    },
)
"""Parts of many answers; a table need not repeat them."""


def table(
    *parts: Fields,
    objects: Objects | None = None,
    receipts: Mapping[str, frozenset[str]] | None = None,
    proofs: frozenset[str] = frozenset(),
) -> Table:
    """One table of several parts."""
    whole = {name: rows for part in (COMMON, *parts) for name, rows in part.items()}
    return Table(whole, objects or {}, receipts or {}, proofs)


def kind_of(call: Call) -> Kind:
    """What whoever a call is for is to a table."""
    viewer = call.viewer
    if viewer is None:
        return Kind.NOBODY if call.caller == "gateway" else Kind.SERVICE
    if viewer.kind == "service_account":
        return Kind.MACHINE
    return Kind.NO_ROLE if viewer.role is None else Kind(viewer.role.value)


class Mask:
    """Takes out of messages what their viewer does not see."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._plans: dict[tuple[Kind, bool], _Plans] = {}

    def __call__(self, call: Call, message: Message) -> Message:
        """The message as this call's viewer may see it; the one that was given stays whole."""
        key = kind_of(call), call.method in self.table.proofs
        plans = self._plans.get(key)
        if plans is None:
            plans = self._plans[key] = _Plans(self.table, *key)
        plan = plans.of(message.DESCRIPTOR)  # type: ignore[arg-type]  # two stubs of one class
        if not plan.does_something:
            # What this version of the service does not know can come in answers that a newer one stored.
            message.DiscardUnknownFields()
            return message
        masked = type(message)()
        masked.CopyFrom(message)
        masked.DiscardUnknownFields()
        viewer = call.viewer
        owner = str(viewer.id) if isinstance(viewer, Viewer) and viewer.kind == "user" else ""
        if not plan.exists(masked, owner) or not plan.apply(masked, owner):
            masked.Clear()
        return masked


@dataclass(frozen=True)
class _Gate:
    """A case, ready to be asked."""

    where: tuple[tuple[str, object], ...]
    admits: bool
    owner: tuple[str, ...]

    def fits(self, message: Message) -> bool:
        return all(getattr(message, name) == value for name, value in self.where)


class _Plan:
    """What is to be done to one kind of message for one kind of viewer."""

    def __init__(self) -> None:
        self.gates: tuple[_Gate, ...] | None = None
        """None: it exists for whoever gets the answer."""
        self.cleared: list[str] = []
        self.owned: list[tuple[str, tuple[str, ...]]] = []
        self.single: list[tuple[str, _Plan, frozenset[str] | None]] = []
        self.lists: list[tuple[str, _Plan]] = []
        self.cursors = ""
        """The list that cursors run beside."""
        self.maps: list[tuple[str, _Plan]] = []
        self.does_something = True
        """Until it is known: a message that holds itself is walked."""

    def exists(self, message: Any, owner: str) -> bool:
        """Whether the object exists for this viewer."""
        if self.gates is None:
            return True
        for gate in self.gates:
            if gate.fits(message):
                return gate.admits or _is(message, gate.owner, owner)
        return False

    def apply(self, message: Any, owner: str) -> bool:
        """Take out what is not for the viewer; whether the message may be there at all.

        What is told about a thing that does not exist for him does not exist for him either.
        """
        for name, path in self.owned:
            if not _is(message, path, owner):
                message.ClearField(name)
        for name in self.cleared:
            message.ClearField(name)
        for name, plan in self.lists:
            gone = plan.hidden(enumerate(getattr(message, name)), owner)
            for at in reversed(gone):
                del getattr(message, name)[at]
            if self.cursors == name:
                for at in reversed(gone):
                    del message.cursors[at : at + 1]
        for name, plan in self.maps:
            for key in plan.hidden(getattr(message, name).items(), owner):
                del getattr(message, name)[key]
        return all(plan.keeps(message, name, receipt, owner) for name, plan, receipt in self.single)

    def hidden(self, items: Iterable[tuple[Key, Any]], owner: str) -> list[Key]:
        """Where things stand that do not exist for the viewer; what he does not see of the others is taken out."""
        return [key for key, item in items if not (self.exists(item, owner) and self.apply(item, owner))]

    def keeps(self, message: Any, name: str, receipt: frozenset[str] | None, owner: str) -> bool:
        """Whether a message may be there with this part of it, which may shrink to a receipt."""
        if not message.HasField(name):
            return True
        part = getattr(message, name)
        if self.exists(part, owner) and self.apply(part, owner):
            return True
        if receipt is None:
            return False
        for field, _ in part.ListFields():
            if field.name not in receipt:
                part.ClearField(field.name)
        return self.apply(part, owner)


class _Plans:
    """The plans of one kind of viewer, made when they are first needed."""

    def __init__(self, table: Table, kind: Kind, proved: bool) -> None:  # noqa: FBT001 - a key of Mask
        self._table = table
        self._kind = kind
        self._proved = proved
        self._made: dict[str, _Plan] = {}

    def of(self, descriptor: Descriptor) -> _Plan:
        plan = self._made.get(descriptor.full_name)
        if plan is None:
            plan = self._made[descriptor.full_name] = _Plan()
            self._fill(plan, descriptor)
        return plan

    def _fill(self, plan: _Plan, descriptor: Descriptor) -> None:
        name = descriptor.full_name
        cases = self._table.objects.get(name)
        if cases is not None:
            gates = tuple(self._gate(case, descriptor) for case in cases)
            always = all(gate.admits for gate in gates) and gates and not gates[-1].where
            plan.gates = None if always else gates
        rows = self._table.fields.get(name, {})
        receipt = self._table.receipts.get(name)
        for field in descriptor.fields:
            audience = rows.get(field.name, NO_ONE)
            if not self._admits(audience):
                if audience.owner:
                    plan.owned.append((field.name, tuple(audience.owner.split("."))))
                else:
                    plan.cleared.append(field.name)
                    continue
            self._walk(plan, field, receipt)
        plan.does_something = bool(
            plan.gates is not None or plan.cleared or plan.owned or plan.single or plan.lists or plan.maps
        )

    def _walk(self, plan: _Plan, field: FieldDescriptor, receipt: frozenset[str] | None) -> None:
        inner, many = held_by(field)
        beside = field.containing_type
        if inner is None:
            return
        part = self.of(inner)
        if not part.does_something:
            return
        if not many:
            plan.single.append((field.name, part, receipt))
        elif inner is not field.message_type:
            plan.maps.append((field.name, part))
        else:
            plan.lists.append((field.name, part))
            if beside is not None and CURSORS in beside.fields_by_name:
                plan.cursors = field.name

    def _gate(self, case: Case, descriptor: Descriptor) -> _Gate:
        where = tuple((name, _value(descriptor.fields_by_name[name], value)) for name, value in case.where.items())
        return _Gate(where, self._admits(case.audience), tuple(filter(None, case.audience.owner.split("."))))

    def _admits(self, audience: Audience) -> bool:
        return self._kind in audience.kinds or (self._proved and bool(audience.owner))


def held_by(field: FieldDescriptor) -> tuple[Descriptor | None, bool]:
    """The kind of message that a field holds and that has rows of its own, if it does; and whether it holds several."""
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        return held_by(inner.fields_by_name["value"])[0], True
    if inner is None or inner.file.package == WELL_KNOWN:
        return None, False
    return inner, field.is_repeated


def _value(field: FieldDescriptor, value: object) -> object:
    enum: EnumDescriptor | None = field.enum_type
    return value if enum is None else enum.values_by_name[str(value)].number


def _is(message: Any, path: tuple[str, ...], owner: str) -> bool:
    """Whether the viewer is the user whose id stands there."""
    if not path or not owner:
        return False
    for name in path:
        message = getattr(message, name)
    return bool(message == owner)
