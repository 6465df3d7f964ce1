"""The refusals of tickets, one class for each reason that it raises."""

from chassis.errors import Conflict, NotFound, PermissionDenied


class TicketNotFound(NotFound):
    """No ticket has this id, or the caller may not see it."""

    reason = "TICKET_NOT_FOUND"

    def __init__(self, ticket_id: object) -> None:
        super().__init__(f"no ticket has the id {ticket_id}; list the tickets to find the right one", id=str(ticket_id))


class TicketStatusTransitionInvalid(Conflict):
    """The status cannot change this way."""

    reason = "TICKET_STATUS_TRANSITION_INVALID"


class TicketAudienceForbidden(PermissionDenied):
    """Only hr and admins may let more people see a ticket, or end a suspicion."""

    reason = "TICKET_AUDIENCE_FORBIDDEN"


class TicketAudienceUnchanged(Conflict):
    """The ticket has this audience already, and no suspicion waits."""

    reason = "TICKET_AUDIENCE_UNCHANGED"


class TicketAssigneeInvalid(Conflict):
    """The user is not active, or may not see this ticket."""

    reason = "TICKET_ASSIGNEE_INVALID"


class TicketTriageInProgress(Conflict):
    """The ticket is being triaged already."""

    reason = "TICKET_TRIAGE_IN_PROGRESS"


class TicketReferenceTaken(Conflict):
    """A ticket with this source and external reference exists."""

    reason = "TICKET_REFERENCE_TAKEN"


class TicketOptionNotFound(NotFound):
    """No option of this kind has this key, or it is archived."""

    reason = "TICKET_OPTION_NOT_FOUND"


class TicketOptionTaken(Conflict):
    """An option of this kind has this key already."""

    reason = "TICKET_OPTION_TAKEN"


class TicketLogsExceeded(Conflict):
    """A ticket would have more logs than it may."""

    reason = "TICKET_LOGS_EXCEEDED"


class TicketLogNotLinked(Conflict):
    """None of the logs is linked to the ticket."""

    reason = "TICKET_LOG_NOT_LINKED"


class TicketSuggestionNotFound(Conflict):
    """No suggestion of triage waits on the ticket."""

    reason = "TICKET_SUGGESTION_NOT_FOUND"


class LogNotFound(NotFound):
    """No log has this id, or the caller may not see it."""

    reason = "LOG_NOT_FOUND"


class UserNotFound(NotFound):
    """No user has this id."""

    reason = "USER_NOT_FOUND"
