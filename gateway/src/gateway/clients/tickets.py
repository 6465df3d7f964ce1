"""The tickets service as one operation sees it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from strawberry.dataloader import DataLoader

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.rpc.client import Client
from gateway.clients.batching import ByArguments, loader
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceAsyncStub

MAX_TEXTS = 100
"""Tickets that one call compares, or whose comments it reads."""


class TicketsCalls(Calls["TicketsServiceAsyncStub"]):
    """RPCs to tickets on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "TicketsServiceAsyncStub") -> None:
        super().__init__(client, stub)
        self.tickets = loader(self._batch_get_tickets, lambda ticket: ticket.id)
        self.of_log: ByArguments[int, str, pb.LogTickets] = ByArguments(self._of_log)
        """Tickets by log id, at most so many for each."""
        self.similar: ByArguments[int, str, pb.SimilarTickets] = ByArguments(self._similar)
        """Similar tickets by ticket id, at most so many for each."""
        self.comments: ByArguments[tuple[int, str], str, pb.TicketComments] = ByArguments(self._comments)
        """Comments by ticket id, at most so many for each, after a comment."""

    async def _batch_get_tickets(self, ids: Sequence[str], seconds: float) -> Iterable[ticket_pb2.Ticket]:
        request = pb.BatchGetTicketsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetTickets, request, timeout_seconds=seconds)).tickets

    def _of_log(self, first: int) -> DataLoader[str, pb.LogTickets | None]:
        async def fetch(log_ids: Sequence[str], seconds: float) -> Iterable[pb.LogTickets]:
            request = pb.BatchListLogTicketsRequest(log_ids=log_ids, first=first)
            return (await self.call(self.rpc.BatchListLogTickets, request, timeout_seconds=seconds)).logs

        return loader(fetch, lambda answer: answer.log_id)

    def _similar(self, first: int) -> DataLoader[str, pb.SimilarTickets | None]:
        async def fetch(ticket_ids: Sequence[str], seconds: float) -> Iterable[pb.SimilarTickets]:
            request = pb.BatchListSimilarTicketsRequest(ticket_ids=ticket_ids, first=first)
            return (await self.call(self.rpc.BatchListSimilarTickets, request, timeout_seconds=seconds)).tickets

        return loader(fetch, lambda answer: answer.ticket_id, max_batch_size=MAX_TEXTS)

    def _comments(self, arguments: tuple[int, str]) -> DataLoader[str, pb.TicketComments | None]:
        first, after = arguments

        async def fetch(ticket_ids: Sequence[str], seconds: float) -> Iterable[pb.TicketComments]:
            request = pb.BatchListTicketCommentsRequest(ticket_ids=ticket_ids, first=first, after_id=after)
            return (await self.call(self.rpc.BatchListTicketComments, request, timeout_seconds=seconds)).tickets

        # A comment to go on from belongs to one ticket.
        return loader(fetch, lambda answer: answer.ticket_id, max_batch_size=1 if after else MAX_TEXTS)
