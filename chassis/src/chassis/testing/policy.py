"""What holds of every policy table: each RPC has a rule, and each field that can leave has a row."""

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from chassis.masking import COMMON, Table, held_by
from chassis.policy import Rule


def answers_of(services: Iterable[ServiceDescriptor]) -> dict[str, Descriptor]:
    """Every kind of message that can be in an answer of these services and has rows of its own, by full name."""
    found: dict[str, Descriptor] = {}
    waiting = [method.output_type for service in services for method in service.methods]
    while waiting:
        descriptor = waiting.pop()
        if descriptor.full_name not in found:
            found[descriptor.full_name] = descriptor
            waiting.extend(inner for field in descriptor.fields if (inner := held_by(field)[0]) is not None)
    return found


def strange_rows(table: Table, services: Iterable[ServiceDescriptor]) -> list[str]:
    """The fields that can leave and have no row, those of a row in vain, and what cases name in vain; none is right."""
    answers = answers_of(services)
    there = {f"{name}.{field.name}" for name, each in answers.items() for field in each.fields}
    listed = {f"{name}.{field}" for name, rows in table.fields.items() for field in rows}
    common = {f"{name}.{field}" for name, rows in COMMON.items() for field in rows}
    return sorted({*((there ^ listed) - (common - there)), *_strange_cases(table, answers)})


def _strange_cases(table: Table, answers: Mapping[str, Descriptor]) -> Iterator[str]:
    for name, cases in table.objects.items():
        for field in {field for case in cases for field in case.where}:
            if name not in answers or field not in answers[name].fields_by_name:
                yield f"objects: {name}.{field}"
    yield from (f"receipts: {name}" for name in table.receipts.keys() - answers.keys())
    for name, rows in table.fields.items():
        for owner in {audience.owner for audience in rows.values() if audience.owner}:
            if owner.partition(".")[0] not in rows:
                yield f"owner: {name}.{owner}"


def strange_rules(rules: Mapping[str, Rule], services: Iterable[ServiceDescriptor]) -> list[str]:
    """The RPCs without a rule, and the rules without an RPC; none is right."""
    return sorted(rules.keys() ^ {method.name for service in services for method in service.methods})
