"""Whom each role really calls, read from the code that makes the clients."""

import ast
from collections.abc import Iterator

from tests.charts.rendering import ROOT

SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
ROLE_OF = {"servicer": "serve", "routes": "serve", "checks": "serve", "subscriptions": "work", "schedules": "work"}
"""Which role uses what a Service is made of; `startup` runs in both, and calls nobody."""

Edge = tuple[str, str, str]
"""Caller, its role, callee."""


def edges_of_code() -> set[Edge]:
    """Every gRPC edge. Whoever serves asks auth whose tokens are void, by what chassis.runtime makes for each."""
    asking = {(service, "serve", "auth") for service in SERVICES if service != "auth"}
    return {edge for service in SERVICES for edge in _service_edges(service)} | set(_gateway_edges()) | asking


def _service_edges(service: str) -> Iterator[Edge]:
    file = ROOT / "services" / service / "src" / f"{service}_service" / "app.py"
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    (build,) = [function for function in functions if function.name == "build"]
    made = {
        target.id: node.value
        for node in ast.walk(build)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    inner: dict[str, ast.AST] = {
        node.name: node for node in ast.walk(build) if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }
    (service_call,) = [node for node in ast.walk(build) if isinstance(node, ast.Call) and _name(node) == "Service"]
    for part in service_call.keywords:
        for callee in _clients_in(part.value, {**inner, **made}, set()):
            yield service, ROLE_OF[str(part.arg)], callee


def _clients_in(node: ast.AST, made: dict[str, ast.AST], seen: set[str]) -> Iterator[str]:
    """The audience of each `runtime.client(...)` within, through the names that lead there."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "client":
            target, audience = each.args
            assert isinstance(target, ast.Attribute)
            assert isinstance(audience, ast.Constant)
            assert isinstance(audience.value, str)
            assert target.attr == f"{audience.value}_target"
            yield audience.value
        if isinstance(each, ast.Name) and each.id in made and each.id not in seen:
            yield from _clients_in(made[each.id], made, seen | {each.id})


def _gateway_edges() -> Iterator[Edge]:
    tree = ast.parse((ROOT / "gateway" / "src" / "gateway" / "services.py").read_text())
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and _name(each) == "Client":
            audience = each.args[1]
            assert isinstance(audience, ast.Constant)
            yield "gateway", "serve", str(audience.value)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""
