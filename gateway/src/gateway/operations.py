"""Runs operations for every transport: on behalf of the caller, traced and counted, with errors masked."""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import Any

from graphql import GraphQLError, OperationType
from opentelemetry import trace
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import ExecutionResult, PreExecutionError

from chassis.audit import cleaned_path
from chassis.errors import Overloaded, Unauthenticated
from chassis.identity import Call, acting_as
from chassis.metrics import Metrics, MetricSpec
from chassis.resilience.limiter import Limiter
from chassis.telemetry import current_trace_id, span
from gateway.context import Caller, RequestContext
from gateway.deprecations import given_in
from gateway.documents import Documents, Operation, Prepared
from gateway.live import ChangeFeed
from gateway.masking import present_all
from gateway.rates import REFUSED_COST, RateLimited, Rates, Shares
from gateway.schema import Graph
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.trusted import Asked, TrustedDocuments

logger = logging.getLogger(__name__)

OPEN_TO_ALL = frozenset({"signUp", "logIn", "refresh", "logOut", "__typename"})
"""Root fields that need no token: without them nobody could get one."""
OPEN_TO_DEVELOPERS = OPEN_TO_ALL | {"__schema", "__type", "_service"}

ANSWERED_ONCE = frozenset({OperationType.QUERY, OperationType.MUTATION})

MAXIMUM_FIELDS = 5
"""Root fields of an operation that the audit names."""
ANSWER_SECONDS = 20.0
"""What has no answer by then becomes an error at its path; the rest of the answer stays."""

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest number that every reader of JSON takes as it is; lists in lists cost more easily."""

OPERATION_METRICS = (
    MetricSpec("aiops_gateway_operations_total", "counter", "GraphQL operations, by outcome.", ("type", "outcome")),
    MetricSpec("aiops_gateway_operation_duration_seconds", "histogram", "Time to answer an operation.", ("type",)),
    MetricSpec("aiops_gateway_subscriptions", "gauge", "Subscriptions that run just now."),
    MetricSpec("aiops_deprecated_field_total", "counter", "Uses of what is on its way out, by field.", ("field",)),
)


class UsePrepared(SchemaExtension):
    """Puts the prepared document in place of the library's own parsing and validation."""

    def on_parse(self) -> Iterator[None]:
        """Take the document."""
        self.execution_context.graphql_document = self.execution_context.context.prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Take the verdict: what is invalid does not come here."""
        self.execution_context.pre_execution_errors = []
        yield


class Refused(Exception):
    """The operation is not run."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        super().__init__()
        self.errors = present_all(errors)


class Operations:
    """The one way in which an operation is run."""

    def __init__(
        self,
        settings: GatewaySettings,
        services: Services,
        change_feed: ChangeFeed,
        metrics: Metrics,
        *,
        requests: Limiter,
        rates: Rates,
    ) -> None:
        development = settings.environment == "development"
        self._graph = Graph(extensions=[UsePrepared])
        self.documents = Documents(self._graph.core, development=development)
        self._open_fields = OPEN_TO_DEVELOPERS if development else OPEN_TO_ALL
        self._services = services
        self._change_feed = change_feed
        self._requests = requests
        self._max_cost = settings.max_cost
        documents = settings.documents or ("any" if development else "trusted")
        self.trusted = TrustedDocuments.of(settings.documents_folder, alone=documents == "trusted")
        self.rates = rates
        self.connections = Shares("connections", settings.max_connections)
        self._subscriptions_held = Shares("subscriptions", settings.max_subscriptions)
        self._outcomes = metrics.counter("aiops_gateway_operations_total")
        self._seconds = metrics.histogram("aiops_gateway_operation_duration_seconds")
        self._subscriptions = metrics.gauge("aiops_gateway_subscriptions")
        self._deprecated = metrics.counter("aiops_deprecated_field_total")

    async def execute(
        self, asked: Asked, variables: Mapping[str, Any] | None, operation_name: str | None, caller: Caller
    ) -> ExecutionResult:
        """Answer a query or mutation."""
        async with AsyncExitStack() as held:
            try:
                await self._hold_place(held)
                prepared, operation = self._admit(asked, variables, operation_name, caller, ANSWERED_ONCE)
            except Refused as refused:
                return self._refuse(refused)
            self._count_deprecated(prepared, variables)
            started = time.monotonic()
            with self._on_behalf_of(caller, operation, deadline=started + ANSWER_SECONDS):
                result = await self._graph.execute(
                    prepared.text,
                    variable_values=dict(variables or {}),
                    context_value=RequestContext(caller, self._services, self._change_feed, prepared),
                    operation_name=operation_name,
                )
            return self._recorded(self._outward(result, operation), operation, time.monotonic() - started)

    async def stream(
        self, asked: Asked, variables: Mapping[str, Any] | None, operation_name: str | None, caller: Caller
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Answer a subscription, item by item, or anything else with one item."""
        async with AsyncExitStack() as held:
            held.enter_context(span("graphql", "server"))
            place = await held.enter_async_context(AsyncExitStack())
            try:
                prepared, operation = self._admit(asked, variables, operation_name, caller, frozenset(OperationType))
                subscribes = operation.type is OperationType.SUBSCRIPTION
                if subscribes:
                    _or_refuse(lambda: held.enter_context(self._subscriptions_held.held(caller)))
                else:
                    await self._hold_place(place)
            except Refused as refused:
                yield self._refuse(refused)
                return
            trace.get_current_span().update_name(f"graphql {operation.type.value}")
            started = time.monotonic()
            deadline = None if subscribes else started + ANSWER_SECONDS
            with self._on_behalf_of(caller, operation, deadline):
                results = await self._graph.stream(
                    prepared.text,
                    variable_values=dict(variables or {}),
                    context_value=RequestContext(caller, self._services, self._change_feed, prepared),
                    operation_name=operation_name,
                )
                self._subscriptions.inc(subscribes)
                try:
                    async with aclosing(results):
                        async for result in results:
                            # Without @defer and @stream, which are off, every item is a whole result.
                            assert isinstance(result, ExecutionResult)
                            answer = self._outward(result, operation)
                            seconds = time.monotonic() - started
                            await place.aclose()  # whoever reads his answer slowly keeps nobody else from one
                            yield answer if subscribes else self._recorded(answer, operation, seconds)
                finally:
                    self._subscriptions.dec(subscribes)

    def refuse_if_hopeless(self) -> None:
        """Send an operation away before anything is spent on it.

        Raises:
            Overloaded: too many are being answered, and too many wait.
        """
        self._requests.refuse_if_hopeless()

    async def _hold_place(self, held: AsyncExitStack) -> None:
        """Have a place among the operations being answered until `held` ends.

        Raises:
            Refused: none came free in a moment.
        """
        try:
            await held.enter_async_context(self._requests.place())
        except Overloaded as overloaded:
            raise Refused([GraphQLError(overloaded.message, original_error=overloaded)]) from overloaded

    def _admit(
        self,
        asked: Asked,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        caller: Caller,
        types: frozenset[OperationType],
    ) -> tuple[Prepared, Operation]:
        """The operation to run, which its caller has paid for.

        Raises:
            Refused: the document is no good, not for this transport or too costly, or the caller has no token for it.
        """
        # Before the document is read: reading it is work, too.
        _or_refuse(lambda: self.rates.take(caller, REFUSED_COST))
        try:
            prepared = self.documents.prepare(self.trusted.text(asked))
            machine = caller.viewer is not None and caller.viewer.kind == "service_account"
            self.trusted.refuse_others(prepared.document, prepared.text, machine=machine)
            if prepared.errors:
                raise Refused(prepared.errors)
            operation = prepared.operation(operation_name)
        except GraphQLError as error:
            raise Refused([error]) from error
        if operation.type not in types:
            raise Refused([GraphQLError("subscriptions go over WebSocket, with the protocol graphql-transport-ws")])
        if caller.viewer is None and not operation.root_fields <= self._open_fields:
            refusal = Unauthenticated("log in first, then send the access token as Authorization: Bearer <token>")
            raise Refused([GraphQLError(refusal.message, original_error=refusal)])
        cost = operation.cost.of(variables)
        if cost > self._max_cost:
            raise Refused([_too_costly(cost, self._max_cost)])
        _or_refuse(lambda: self.rates.take(caller, max(0, cost - REFUSED_COST)))
        return prepared, operation

    def _count_deprecated(self, prepared: Prepared, variables: Mapping[str, Any] | None) -> None:
        for field in prepared.deprecated | given_in(self._graph.core, prepared.document, variables):
            self._deprecated.labels(field).inc()

    @contextmanager
    def _on_behalf_of(self, caller: Caller, operation: Operation, deadline: float | None) -> Iterator[None]:
        current = trace.get_current_span()
        current.set_attribute("graphql.operation.type", operation.type.value)
        current.set_attribute("graphql.operation.name", operation.name)
        with acting_as(_call(caller, operation, deadline)):
            yield

    def _refuse(self, refused: Refused) -> ExecutionResult:
        self._outcomes.labels("none", "refused").inc()
        return PreExecutionError(data=None, errors=refused.errors, extensions={"traceId": current_trace_id()})

    def _recorded(self, result: ExecutionResult, operation: Operation, seconds: float) -> ExecutionResult:
        """One log line: of the document its root fields alone, which are our words and hold no value."""
        self._seconds.labels(operation.type.value).observe(seconds)
        codes = sorted({str((error.extensions or {})["code"]) for error in result.errors or ()})
        level = logging.DEBUG if operation.type is OperationType.QUERY and not codes else logging.INFO
        fields = {"fields": sorted(operation.root_fields), "codes": codes, "seconds": round(seconds, 4)}
        logger.log(level, "%s answered", operation.type.value, extra=fields)
        return result

    def _outward(self, result: ExecutionResult, operation: Operation) -> ExecutionResult:
        result.errors = present_all(result.errors) if result.errors else None
        result.extensions = {"traceId": current_trace_id()}
        self._outcomes.labels(operation.type.value, "errors" if result.errors else "ok").inc()
        return result


def _or_refuse(take: Callable[[], None]) -> None:
    """Take a caller's share.

    Raises:
        Refused: it is used up.
    """
    try:
        take()
    except RateLimited as limited:
        raise Refused([GraphQLError(limited.message, original_error=limited)]) from limited


def _too_costly(cost: int, limit: int) -> GraphQLError:
    cost = min(cost, MAX_SAFE_INTEGER)
    message = f"the operation may touch {cost:,} objects, {limit:,} are allowed; ask for smaller pages or less of each"
    return GraphQLError(message, extensions={"code": "QUERY_TOO_COSTLY", "cost": cost, "limit": limit})


def _call(caller: Caller, operation: Operation, deadline: float | None) -> Call:
    fields = ", ".join(sorted(operation.root_fields)[:MAXIMUM_FIELDS])
    path = cleaned_path(f"graphql {operation.type.value} {fields}, by {caller.client}")
    return Call("client", caller.viewer, caller.token, operation.name, deadline, path=path)
