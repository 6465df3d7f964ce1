"""The graph as a whole: the services' types merged into one schema that is also an Apollo Federation 2 subgraph."""

from collections.abc import Callable, Iterable
from typing import Any

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from graphql import GraphQLError, GraphQLSchema
from strawberry import federation
from strawberry.extensions import SchemaExtension
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from chassis.errors import InvalidArgument
from gateway.graph.ai import Run
from gateway.graph.audit import AuditQuery
from gateway.graph.auth import AuthQuery, User
from gateway.graph.auth_accounts import AccountMutation
from gateway.graph.auth_sessions import SessionMutation
from gateway.graph.changelog import Changelog
from gateway.graph.changelog_commits import Commit, Deployment, Repository
from gateway.graph.changelog_mutations import ChangelogMutation
from gateway.graph.changelog_queries import ChangelogQuery
from gateway.graph.descriptions import describe
from gateway.graph.errors import RefusalHandler
from gateway.graph.history import HistoryQuery
from gateway.graph.log_records import LogPattern, LogRecord
from gateway.graph.logs import Log, LogsQuery
from gateway.graph.logs_mutations import LogsMutation
from gateway.graph.logs_subscriptions import LogsSubscription
from gateway.graph.operations import OperationsMutation, OperationsQuery
from gateway.graph.scalars import DATE_TIME
from gateway.graph.tickets import Ticket
from gateway.graph.tickets_additions import TicketAdditionsMutation
from gateway.graph.tickets_mutations import TicketsMutation
from gateway.graph.tickets_queries import TicketsQuery
from gateway.graph.tickets_reveal import TicketRevealMutation
from gateway.graph.tickets_subscriptions import TicketsSubscription

ENTITIES = {
    cls.__name__: cls
    for cls in (User, Log, LogRecord, LogPattern, Run, Ticket, Changelog, Repository, Commit, Deployment)
}
"""What other subgraphs may name by id."""


# The library makes a subclass of it, which inherits no docstring.
@strawberry.type(
    description="What can be read. Every field is nullable: a service that is down takes no other's answer along."
)
class Query(AuthQuery, LogsQuery, TicketsQuery, ChangelogQuery, HistoryQuery, OperationsQuery, AuditQuery):
    """What can be read."""


@strawberry.type
class Mutation(
    SessionMutation,
    AccountMutation,
    LogsMutation,
    TicketsMutation,
    TicketAdditionsMutation,
    TicketRevealMutation,
    ChangelogMutation,
    OperationsMutation,
):
    """What can be changed. Every mutation ends in its result union; `... on UserError` catches all refusals."""


@strawberry.type
class Subscription(LogsSubscription, TicketsSubscription):
    """What can be watched, over WebSocket with the graphql-transport-ws protocol."""


class Graph(federation.Schema):
    """The schema, with what the library does not give: entities that fail one by one, errors logged in one place."""

    def __init__(self, extensions: Iterable[Callable[[], SchemaExtension]] = ()) -> None:
        super().__init__(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            types=ENTITIES.values(),
            extensions=extensions,
            config=StrawberryConfig(scalar_map={Timestamp: DATE_TIME}),
            exception_handlers=[RefusalHandler()],
        )
        describe(self._schema)

    @property
    def core(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    async def entities_resolver(  # type: ignore[override]
        self, info: strawberry.Info, representations: list[FederationAny]
    ) -> list[FederationAny]:
        """The entities that other subgraphs name, in their order; one that cannot be resolved fails alone."""
        # None is awaited here: started together, they are loaded in one batch.
        return [self._entity(info, representation) for representation in representations]

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: `gateway.masking` logs defects once, with the trace id and without what the client sent."""

    @staticmethod
    def _entity(info: strawberry.Info, representation: object) -> Any:
        """The entity to come, or the error that takes its place in the list."""
        given = representation if isinstance(representation, dict) else {}
        entity, id_ = ENTITIES.get(str(given.get("__typename"))), given.get("id")
        if entity is None:
            return InvalidArgument(
                f"a representation's __typename is one of {', '.join(sorted(ENTITIES))}", field="__typename"
            )
        if not isinstance(id_, str):
            return InvalidArgument("a representation names its entity by id", field="id")
        return entity.resolve_reference(info, strawberry.ID(id_))
