"""TicketsService over gRPC: what came in to domain words, one use case or query, and the answer back."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message

from aiops.tickets.v1 import tickets_service_pb2 as pb
from aiops.tickets.v1.ticket_pb2 import Ticket
from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceServicer
from chassis.db import Database, UnitOfWork, WriteTx
from chassis.idempotency import request_fingerprint
from chassis.identity import current_call
from chassis.ids import parse_ids
from chassis.metrics import Metrics
from chassis.paging import page_from, page_info
from chassis.redaction import Redactor
from chassis.rpc.server import Context
from tickets_service import convert, convert_requests, queries, triage, usecases
from tickets_service.errors import TicketNotFound
from tickets_service.policy import receipt, shows, watcher_of
from tickets_service.references import References
from tickets_service.values import Watcher

MAXIMUM_WIDE_BATCH = 100
"""Of RPCs that answer several things for each id."""
MAXIMUM_SIMILAR = 20
MAXIMUM_ITEMS = 100

Response = TypeVar("Response", bound=Message)
Changed = TypeVar(
    "Changed",
    pb.UpdateTicketResponse,
    pb.UpdateTicketStatusResponse,
    pb.UpdateTicketAudienceResponse,
    pb.AssignTicketResponse,
    pb.AddTicketCommentResponse,
    pb.LinkTicketLogsResponse,
    pb.UnlinkTicketLogsResponse,
    pb.RetriageTicketResponse,
    pb.AcceptTicketSuggestionResponse,
    pb.DismissTicketSuggestionResponse,
)


class TicketsServicer(TicketsServiceServicer):
    """The RPCs of tickets."""

    def __init__(
        self, unit_of_work: UnitOfWork, database: Database, redactor: Redactor, references: References, metrics: Metrics
    ) -> None:
        self._uow = unit_of_work
        self._database = database
        self._redactor = redactor
        self._references = references
        self._metrics = metrics

    async def CreateTicket(self, request: pb.CreateTicketRequest, context: Context) -> pb.CreateTicketResponse:
        """Store a ticket."""
        cmd, watcher = convert_requests.create_command(request), _watcher()
        reporter_id = cmd.reporter.user_id if cmd.reporter else None
        await self._guard_references(reporter_id, cmd.log_ids, request)

        async def effect(tx: WriteTx) -> pb.CreateTicketResponse:
            ticket = await usecases.create_ticket(cmd, watcher, tx, self._redactor)
            return pb.CreateTicketResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._created(request, effect)

    async def UpdateTicket(self, request: pb.UpdateTicketRequest, context: Context) -> pb.UpdateTicketResponse:
        """Replace what is given."""
        cmd, watcher = convert_requests.update_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.UpdateTicketResponse:
            ticket = await usecases.update_ticket(cmd, watcher, tx, self._redactor)
            return pb.UpdateTicketResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.UpdateTicketResponse, effect)

    async def UpdateTicketStatus(
        self, request: pb.UpdateTicketStatusRequest, context: Context
    ) -> pb.UpdateTicketStatusResponse:
        """Move the status."""
        cmd, watcher = convert_requests.update_status_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.UpdateTicketStatusResponse:
            ticket = await usecases.update_ticket_status(cmd, watcher, tx)
            return pb.UpdateTicketStatusResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.UpdateTicketStatusResponse, effect)

    async def UpdateTicketAudience(
        self, request: pb.UpdateTicketAudienceRequest, context: Context
    ) -> pb.UpdateTicketAudienceResponse:
        """Decide who may see it."""
        cmd, watcher = convert_requests.update_audience_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.UpdateTicketAudienceResponse:
            ticket = await usecases.update_ticket_audience(cmd, watcher, tx)
            return pb.UpdateTicketAudienceResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.UpdateTicketAudienceResponse, effect)

    async def AssignTicket(self, request: pb.AssignTicketRequest, context: Context) -> pb.AssignTicketResponse:
        """Hand it to somebody, or to nobody."""
        cmd, watcher = convert_requests.assign_command(request), _watcher()
        stored = await self._uow.replay(request, pb.AssignTicketResponse)
        assignee = None if stored is not None else await self._references.assignee(cmd.assignee_id)

        async def effect(tx: WriteTx) -> pb.AssignTicketResponse:
            ticket = await usecases.assign_ticket(cmd, assignee, watcher, tx)
            return pb.AssignTicketResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.AssignTicketResponse, effect)

    async def AddTicketComment(
        self, request: pb.AddTicketCommentRequest, context: Context
    ) -> pb.AddTicketCommentResponse:
        """Say something on it."""
        cmd, watcher = convert_requests.comment_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.AddTicketCommentResponse:
            ticket, comment = await usecases.add_ticket_comment(cmd, watcher, tx, self._redactor)
            return pb.AddTicketCommentResponse(
                ticket=convert.ticket_to_proto(ticket, watcher), comment=convert.comment_to_proto(comment)
            )

        return await self._written(request, pb.AddTicketCommentResponse, effect)

    async def LinkTicketLogs(self, request: pb.LinkTicketLogsRequest, context: Context) -> pb.LinkTicketLogsResponse:
        """Link logs to it."""
        cmd, watcher = convert_requests.logs_command(request), _watcher()
        if await self._uow.replay(request, pb.LinkTicketLogsResponse) is None:
            await self._references.guard_logs(cmd.log_ids)

        async def effect(tx: WriteTx) -> pb.LinkTicketLogsResponse:
            ticket = await usecases.link_ticket_logs(cmd, watcher, tx)
            return pb.LinkTicketLogsResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.LinkTicketLogsResponse, effect)

    async def UnlinkTicketLogs(
        self, request: pb.UnlinkTicketLogsRequest, context: Context
    ) -> pb.UnlinkTicketLogsResponse:
        """Take logs away from it."""
        cmd, watcher = convert_requests.logs_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.UnlinkTicketLogsResponse:
            ticket = await usecases.unlink_ticket_logs(cmd, watcher, tx)
            return pb.UnlinkTicketLogsResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.UnlinkTicketLogsResponse, effect)

    async def RetriageTicket(self, request: pb.RetriageTicketRequest, context: Context) -> pb.RetriageTicketResponse:
        """Have it triaged anew."""
        cmd, watcher = convert_requests.change_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.RetriageTicketResponse:
            ticket = await usecases.retriage_ticket(cmd, watcher, tx)
            return pb.RetriageTicketResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.RetriageTicketResponse, effect)

    async def AcceptTicketSuggestion(
        self, request: pb.AcceptTicketSuggestionRequest, context: Context
    ) -> pb.AcceptTicketSuggestionResponse:
        """Take over what triage suggested."""
        cmd, watcher = convert_requests.change_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.AcceptTicketSuggestionResponse:
            ticket = await triage.accept_suggestion(cmd, watcher, tx)
            return pb.AcceptTicketSuggestionResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.AcceptTicketSuggestionResponse, effect)

    async def DismissTicketSuggestion(
        self, request: pb.DismissTicketSuggestionRequest, context: Context
    ) -> pb.DismissTicketSuggestionResponse:
        """Put what triage suggested away."""
        cmd, watcher = convert_requests.change_command(request), _watcher()

        async def effect(tx: WriteTx) -> pb.DismissTicketSuggestionResponse:
            ticket = await triage.dismiss_suggestion(cmd, watcher, tx)
            return pb.DismissTicketSuggestionResponse(ticket=convert.ticket_to_proto(ticket, watcher))

        return await self._written(request, pb.DismissTicketSuggestionResponse, effect)

    async def RevealTicket(self, request: pb.RevealTicketRequest, context: Context) -> pb.RevealTicketResponse:
        """What was written, before redaction; the answer is kept nowhere, so a repeated request reads it again."""
        cmd, fingerprint = convert_requests.reveal_command(request), request_fingerprint(request)
        async with self._uow.claim(current_call().method, request.idempotency_key) as claim:
            repeated = await claim.replay(fingerprint, pb.RevealTicketResponse) is not None
            revealed = await usecases.reveal_ticket(cmd, _watcher(), claim.tx, self._redactor)
            if not repeated:
                await claim.store(fingerprint, pb.RevealTicketResponse())
        return pb.RevealTicketResponse(revealed=convert.revealed_to_proto(revealed))

    async def BatchGetTickets(self, request: pb.BatchGetTicketsRequest, context: Context) -> pb.BatchGetTicketsResponse:
        """The tickets that exist among the ids."""
        ids, watcher = parse_ids(request.ids), _watcher()
        async with self._database.read() as tx:
            found = await queries.batch_get_tickets(ids, watcher, tx)
        return pb.BatchGetTicketsResponse(tickets=[convert.ticket_to_proto(ticket, watcher) for ticket in found])

    async def ListTickets(self, request: pb.ListTicketsRequest, context: Context) -> pb.ListTicketsResponse:
        """A page of tickets, the newest first."""
        page, watcher = page_from(request.page), _watcher()
        wanted = convert_requests.ticket_filter(request.filter, request.order, self._redactor.redact)
        self._count_deprecated(request.filter)
        async with self._database.read() as tx:
            found = await queries.list_tickets(wanted, page, watcher, tx)
        return pb.ListTicketsResponse(
            tickets=[convert.ticket_to_proto(ticket, watcher) for ticket in found.items],
            page_info=page_info(found),
            cursors=found.cursors,
        )

    async def BatchListLogTickets(
        self, request: pb.BatchListLogTicketsRequest, context: Context
    ) -> pb.BatchListLogTicketsResponse:
        """The newest tickets of each log."""
        ids = parse_ids(request.log_ids, field="log_ids")
        first, watcher = convert_requests.first_of(request.first, maximum=MAXIMUM_ITEMS), _watcher()
        async with self._database.read() as tx:
            found = await queries.batch_list_log_tickets(ids, first, watcher, tx)
        return pb.BatchListLogTicketsResponse(
            logs=[
                pb.LogTickets(
                    log_id=str(log_id), tickets=[convert.ticket_to_proto(ticket, watcher) for ticket in tickets]
                )
                for log_id, tickets in found.items()
            ]
        )

    async def BatchListSimilarTickets(
        self, request: pb.BatchListSimilarTicketsRequest, context: Context
    ) -> pb.BatchListSimilarTicketsResponse:
        """For each ticket, those whose text is most alike."""
        ids = parse_ids(request.ticket_ids, field="ticket_ids", maximum=MAXIMUM_WIDE_BATCH)
        first, watcher = convert_requests.first_of(request.first, maximum=MAXIMUM_SIMILAR), _watcher()
        async with self._database.read() as tx:
            found = await queries.batch_list_similar(ids, first, watcher, tx)
        return pb.BatchListSimilarTicketsResponse(tickets=convert.similar_to_proto(found, watcher))

    async def BatchListTicketComments(
        self, request: pb.BatchListTicketCommentsRequest, context: Context
    ) -> pb.BatchListTicketCommentsResponse:
        """The first comments of each ticket, oldest first."""
        ids = parse_ids(request.ticket_ids, field="ticket_ids", maximum=MAXIMUM_WIDE_BATCH)
        first, after_id = convert_requests.comment_page(request)
        async with self._database.read() as tx:
            found = await queries.batch_list_comments(ids, first, after_id, _watcher(), tx)
        return pb.BatchListTicketCommentsResponse(tickets=convert.comments_to_proto(found))

    async def ListTicketOptions(
        self, request: pb.ListTicketOptionsRequest, context: Context
    ) -> pb.ListTicketOptionsResponse:
        """All categories, priorities and teams."""
        async with self._database.read() as tx:
            options = await queries.list_options(tx)
        return pb.ListTicketOptionsResponse(options=map(convert.option_to_proto, options))

    async def SaveTicketOption(
        self, request: pb.SaveTicketOptionRequest, context: Context
    ) -> pb.SaveTicketOptionResponse:
        """Make or change a category, priority or team."""
        cmd = convert_requests.option_command(request)

        async def effect(tx: WriteTx) -> pb.SaveTicketOptionResponse:
            return pb.SaveTicketOptionResponse(
                option=convert.option_to_proto(await usecases.save_ticket_option(cmd, tx, self._redactor))
            )

        return await self._uow.once(request, pb.SaveTicketOptionResponse, effect)

    async def _written(
        self, request: Message, response_type: type[Changed], effect: Callable[[WriteTx], Awaitable[Changed]]
    ) -> Changed:
        """The answer of a change, once per key.

        A ticket that was hidden from the caller after he changed it does not exist in what he asks for again, either.
        One that he hid by the change itself is the mask's to leave out.

        Raises:
            TicketNotFound: it was hidden from him since.
        """
        response, repeated = await self._once(request, response_type, effect)
        if repeated and shows(_watcher(), response.ticket) and not await self._exists(response.ticket):
            raise TicketNotFound(response.ticket.id)
        return response

    async def _created(
        self, request: pb.CreateTicketRequest, effect: Callable[[WriteTx], Awaitable[pb.CreateTicketResponse]]
    ) -> pb.CreateTicketResponse:
        """The answer of a creation, once per key; he hears again that it is stored, even if it was hidden since."""
        response, repeated = await self._once(request, pb.CreateTicketResponse, effect)
        if repeated and not await self._exists(response.ticket):
            return pb.CreateTicketResponse(ticket=receipt(response.ticket))
        return response

    async def _once(
        self, request: Message, response_type: type[Response], effect: Callable[[WriteTx], Awaitable[Response]]
    ) -> tuple[Response, bool]:
        """The answer, and whether it was given before: only then may the ticket be another since."""
        self._count_deprecated(request)
        first: list[WriteTx] = []

        async def noted(tx: WriteTx) -> Response:
            first.append(tx)
            return await effect(tx)

        return await self._uow.once(request, response_type, noted), not first

    async def _guard_references(
        self, reporter_id: UUID | None, log_ids: Sequence[UUID], request: pb.CreateTicketRequest
    ) -> None:
        """Ask other services about ids, unless the request was completed before."""
        if not (reporter_id or log_ids) or await self._uow.replay(request, pb.CreateTicketResponse) is not None:
            return
        await self._references.guard_reporter(reporter_id)
        await self._references.guard_logs(log_ids)

    def _count_deprecated(self, request: Message) -> None:
        for field in convert_requests.deprecated_fields(request):
            self._metrics.counter("aiops_deprecated_field_total").labels(field).inc()

    async def _exists(self, ticket: Ticket) -> bool:
        async with self._database.read() as tx:
            return await queries.is_visible(UUID(ticket.id), _watcher(), tx)


def _watcher() -> Watcher:
    return watcher_of(current_call())
