"""A ticket and what may happen to it: each change is one version and one fact. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from chassis.errors import Forbidden
from tickets_service.errors import (
    TicketAudienceForbidden,
    TicketAudienceUnchanged,
    TicketLogNotLinked,
    TicketLogsExceeded,
    TicketStatusTransitionInvalid,
    TicketSuggestionNotFound,
    TicketTriageInProgress,
)
from tickets_service.facts import (
    TicketAssigned,
    TicketAudienceUpdated,
    TicketCommented,
    TicketCreated,
    TicketErased,
    TicketLogsLinked,
    TicketLogsUnlinked,
    TicketStatusUpdated,
    TicketSuggestionAccepted,
    TicketSuggestionDismissed,
    TicketTriaged,
    TicketTriageFailed,
    TicketTriageRequested,
    TicketTriageSuggested,
    TicketUpdated,
)
from tickets_service.values import (
    ERASED,
    MAXIMUM_LOGS,
    NO_VALUE,
    TRIAGE_LOST_AFTER,
    Audience,
    Comment,
    OptionKind,
    PriorityLevel,
    Reporter,
    Suggestion,
    TicketStatus,
    TriageDecision,
    TriageState,
    Value,
    ValueSource,
    Watcher,
)

CERTAIN = 0.8
"""From this confidence on, an engine's suspicion is taken for the fact: the ticket goes to hr at once."""


@dataclass(frozen=True, slots=True)
class TicketOption:
    """One category, priority or team of this installation."""

    id: UUID
    version: int
    kind: OptionKind
    key: str
    name: str
    description: str
    position: int
    audience: Audience
    archived: bool
    level: PriorityLevel | None = None
    """Of a priority: how soon it means."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Something that somebody wants done."""

    id: UUID
    version: int
    title: str
    description: str
    reporter: Reporter
    source: str
    external_reference: str
    service: str
    audience: Audience
    people_suspected: bool
    created_by_kind: str
    created_by_id: str
    created_at: datetime
    updated_at: datetime
    triage_requested_at: datetime
    category: Value = NO_VALUE
    priority: Value = NO_VALUE
    priority_level: PriorityLevel | None = None
    """What its priority stands for; set where it is stored."""
    team: Value = NO_VALUE
    audience_decided: bool = False
    """True once hr or an admin said who may see it: no machine narrows it or suspects it after that."""
    status: TicketStatus = TicketStatus.OPEN
    triage_state: TriageState = TriageState.PENDING
    triage_failure: str = ""
    assignee_id: UUID | None = None
    log_ids: tuple[UUID, ...] = ()
    """Newest link first."""
    public_comment_count: int = 0
    internal_comment_count: int = 0
    triage: TriageDecision | None = None
    suggestion: Suggestion | None = None

    @property
    def hidden(self) -> bool:
        """Whether ops shall not know of it: a matter for hr, or suspected to be one."""
        return self.people_suspected or self.audience is Audience.PEOPLE

    def is_visible_to(self, watcher: Watcher) -> bool:
        """Whether it exists for whoever looks."""
        return watcher.sees(hidden=self.hidden, reporter_id=str(self.reporter.user_id or ""))

    def guard_worker(self, watcher: Watcher) -> None:
        """Let those pass whose work it is.

        Raises:
            Forbidden: he sees it only since he reported it.
        """
        if not watcher.works_on(hidden=self.hidden):
            raise Forbidden("you reported this ticket, and others work on it; add a comment to reach them")

    def guard_reveal(self, watcher: Watcher) -> None:
        """Let those pass who may read what redaction took out of its words.

        Raises:
            Forbidden: ops sees it and it is not assigned to him, or a machine asks.
        """
        himself = watcher.kind == "user" and watcher.id == str(self.reporter.user_id or "")
        assigned = watcher.kind == "user" and watcher.id == str(self.assignee_id or "") and not self.hidden
        if not (himself or watcher.role in {"admin", "hr"} or (watcher.role == "ops" and assigned)):
            raise Forbidden("whole texts are for whoever works on the ticket; have it assigned to you first")

    def value(self, kind: OptionKind) -> Value:
        """Its category, priority or team."""
        return {OptionKind.CATEGORY: self.category, OptionKind.PRIORITY: self.priority, OptionKind.TEAM: self.team}[
            kind
        ]

    def created(self) -> TicketCreated:
        """The fact that it waits for triage."""
        return TicketCreated(self.id, self.version, self.source, self.service)

    def updated(
        self,
        *,
        title: str,
        description: str,
        service: str,
        values: Mapping[OptionKind, str],
        narrows: bool,
        suspicious: bool,
        at: datetime,
    ) -> tuple[Self, TicketUpdated | None]:
        """The ticket with what a person gave; no fact when that changes nothing.

        `narrows` tells that a choice makes it a matter for hr, `suspicious` that its new words look like one.
        """
        wanted: dict[str, object] = {"title": title, "description": description, "service": service}
        wanted |= {
            kind.field: Value(key, ValueSource.PERSON if key else ValueSource.UNSPECIFIED)
            for kind, key in values.items()
        }
        if narrows:
            wanted["audience"] = Audience.PEOPLE
        if suspicious and not (self.audience_decided or self.hidden or narrows):
            wanted["people_suspected"] = True
        changes = {name: new for name, new in wanted.items() if new != getattr(self, name)}
        if not changes:
            return self, None
        ticket = self._changed(at, **changes)
        return ticket, TicketUpdated(ticket.id, ticket.version, tuple(changes))

    def moved_to(self, status: TicketStatus, *, at: datetime) -> tuple[Self, TicketStatusUpdated]:
        """The ticket in another status.

        Raises:
            TicketStatusTransitionInvalid: the state machine knows no such move.
        """
        if status not in self.status.allowed:
            allowed = ", ".join(self.status.allowed)
            raise TicketStatusTransitionInvalid(
                f"the ticket is {self.status} and cannot become {status}; from here it may become {allowed}",
                **{"from": self.status, "to": status, "allowed": allowed},
            )
        ticket = self._changed(at, status=status)
        return ticket, TicketStatusUpdated(ticket.id, ticket.version, self.status, status)

    def shown_to(self, audience: Audience, watcher: Watcher, *, at: datetime) -> tuple[Self, TicketAudienceUpdated]:
        """The ticket for another audience; decided, when hr or an admin says so.

        Raises:
            TicketAudienceForbidden: it would be widened, or a suspicion ended, by somebody who may not.
            TicketAudienceUnchanged: it is so already, and no suspicion waits.
        """
        if watcher.decides_audience:
            if audience is self.audience and not self.people_suspected:
                raise TicketAudienceUnchanged(f"the audience is {audience} already")
            ticket = self._changed(at, audience=audience, people_suspected=False, audience_decided=True)
        else:
            if audience is Audience.GENERAL and self.hidden:
                raise TicketAudienceForbidden("only hr and admins may let more people see a ticket; ask one of them")
            if audience is self.audience:
                raise TicketAudienceUnchanged(f"the audience is {audience} already")
            ticket = self._changed(at, audience=audience)
        return ticket, TicketAudienceUpdated(ticket.id, ticket.version, audience)

    def assigned_to(self, user_id: UUID | None, *, at: datetime) -> tuple[Self, TicketAssigned | None]:
        """The ticket in somebody's hands, or nobody's; no fact when it is there already."""
        if user_id == self.assignee_id:
            return self, None
        ticket = self._changed(at, assignee_id=user_id)
        return ticket, TicketAssigned(ticket.id, ticket.version, user_id)

    def commented(self, comment: Comment, *, at: datetime) -> tuple[Self, TicketCommented]:
        """The ticket with one comment more."""
        counted = "internal_comment_count" if comment.internal else "public_comment_count"
        ticket = self._changed(at, **{counted: getattr(self, counted) + 1})
        return ticket, TicketCommented(ticket.id, ticket.version, comment.id, comment.internal)

    def with_logs(self, log_ids: Sequence[UUID], *, at: datetime) -> tuple[Self, TicketLogsLinked | None]:
        """The ticket with these logs linked too; no fact when they are already.

        Raises:
            TicketLogsExceeded: they would be too many.
        """
        new = tuple(log_id for log_id in dict.fromkeys(log_ids) if log_id not in self.log_ids)
        if not new:
            return self, None
        guard_log_count(len(new) + len(self.log_ids))
        ticket = self._changed(at, log_ids=(*new, *self.log_ids))
        return ticket, TicketLogsLinked(ticket.id, ticket.version, new)

    def without_logs(self, log_ids: Sequence[UUID], *, at: datetime) -> tuple[Self, TicketLogsUnlinked]:
        """The ticket without these logs.

        Raises:
            TicketLogNotLinked: it has none of them.
        """
        gone = tuple(log_id for log_id in dict.fromkeys(log_ids) if log_id in self.log_ids)
        if not gone:
            raise TicketLogNotLinked("none of these logs is linked to the ticket; read it again")
        ticket = self._changed(at, log_ids=tuple(log_id for log_id in self.log_ids if log_id not in gone))
        return ticket, TicketLogsUnlinked(ticket.id, ticket.version, gone)

    def retriaged(self, *, at: datetime) -> tuple[Self, TicketTriageRequested]:
        """The ticket waiting for triage anew; also one that has waited so long that its event must be lost.

        Raises:
            TicketTriageInProgress: it waits already.
        """
        if self.triage_state is TriageState.PENDING and at - self.triage_requested_at < TRIAGE_LOST_AFTER:
            raise TicketTriageInProgress(
                "the ticket is being triaged already; wait for its state to change, or ask again in "
                f"{TRIAGE_LOST_AFTER.seconds // 60} minutes"
            )
        ticket = self._changed(at, triage_state=TriageState.PENDING, triage_failure="", triage_requested_at=at)
        return ticket, TicketTriageRequested(ticket.id, ticket.version)

    def triaged(self, decision: TriageDecision, *, narrows: bool, at: datetime) -> tuple[Self, TicketTriaged]:
        """The ticket with a decision: what a person gave stays, and nobody sees more of it than before.

        `narrows` tells that a choice which takes effect makes it a matter for hr.
        """
        kept = tuple(kind.field for kind in OptionKind if self.value(kind).source is ValueSource.PERSON)
        changes: dict[str, object] = {"triage": replace(decision, kept=kept)}
        for kind in OptionKind:
            if kind.field not in kept:
                key = decision.choice(kind).value
                changes[kind.field] = Value(key, ValueSource.TRIAGE) if key else Value()
        if not self.audience_decided:
            certain = decision.people_suspected and decision.people_confidence >= CERTAIN
            if narrows or certain:
                changes["audience"] = Audience.PEOPLE
            elif decision.people_suspected:
                changes["people_suspected"] = True
        ticket = self._changed(at, triage_state=TriageState.TRIAGED, triage_failure="", suggestion=None, **changes)
        return ticket, TicketTriaged(ticket.id, ticket.version, decision.id, decision.engine)

    def changed_since(self, read: Self) -> tuple[str, ...]:
        """What triage reads or writes of a ticket and is not any more as an engine read it."""
        names = {
            "title": ("title",),
            "description": ("description",),
            "service": ("service",),
            **{kind.field: (kind.field,) for kind in OptionKind},
            "audience": ("audience", "people_suspected", "audience_decided"),
        }
        return tuple(
            name for name, parts in names.items() if any(getattr(self, part) != getattr(read, part) for part in parts)
        )

    def differs_from(self, decision: TriageDecision) -> bool:
        """Whether a decision chooses anything that the ticket does not say already."""
        choices = {kind: decision.choice(kind).value for kind in OptionKind}
        return any(key and key != self.value(kind).key for kind, key in choices.items())

    def suggested(
        self, decision: TriageDecision, changed: tuple[str, ...], *, narrows: bool, at: datetime
    ) -> tuple[Self, TicketTriageSuggested]:
        """The ticket with a decision beside it that waits for a person, since `changed` is not as the engine read it.

        It changes nothing that a person gave. But what may be a matter for hr is hidden until hr has looked: `narrows`
        tells that one of the choices makes it one.
        """
        changes: dict[str, object] = {"suggestion": Suggestion(decision, changed)}
        if (narrows or decision.people_suspected) and not (self.audience_decided or self.hidden):
            changes["people_suspected"] = True
        if self.triage_state is TriageState.PENDING:
            changes["triage_state"] = TriageState.TRIAGED
        ticket = self._changed(at, **changes)
        return ticket, TicketTriageSuggested(ticket.id, ticket.version, decision.id, decision.engine, changed)

    def with_decision(
        self, decision: TriageDecision, *, narrows: bool, at: datetime
    ) -> tuple[Self, TicketSuggestionAccepted]:
        """The ticket with what triage suggested, as a person's choice; `narrows` makes it a matter for hr."""
        chosen = {kind.field: decision.choice(kind).value for kind in OptionKind}
        changes: dict[str, object] = {name: Value(key, ValueSource.PERSON) for name, key in chosen.items() if key}
        if narrows:
            changes["audience"] = Audience.PEOPLE
        ticket = self._changed(at, triage=decision, suggestion=None, **changes)
        return ticket, TicketSuggestionAccepted(ticket.id, ticket.version, decision.id)

    def without_suggestion(self, *, at: datetime) -> tuple[Self, TicketSuggestionDismissed]:
        """The ticket without what triage suggested.

        Raises:
            TicketSuggestionNotFound: none waits.
        """
        decision = self.suggested_decision
        ticket = self._changed(at, suggestion=None)
        return ticket, TicketSuggestionDismissed(ticket.id, ticket.version, decision.id)

    @property
    def suggested_decision(self) -> TriageDecision:
        """The decision that waits for a person.

        Raises:
            TicketSuggestionNotFound: none waits.
        """
        if self.suggestion is None:
            raise TicketSuggestionNotFound("no suggestion of triage waits on this ticket; read it again")
        return self.suggestion.decision

    def erased(self, *, reported: bool, at: datetime) -> tuple[Self, TicketErased | None]:
        """The ticket after a person was erased who reported it, or else wrote on it; no fact when nothing was his.

        Of a matter for hr that he reported, the words go with his name.
        """
        changes: dict[str, object] = {}
        if reported:
            changes["reporter"] = Reporter(self.reporter.user_id)
            if self.hidden:
                triage = None if self.triage is None else self.triage.without_quotes()
                changes |= {"title": ERASED, "description": ERASED, "triage": triage, "suggestion": None}
            if all(getattr(self, name) == new for name, new in changes.items()):
                return self, None
        ticket = self._changed(at, **changes)
        return ticket, TicketErased(ticket.id, ticket.version)

    def triage_failed(self, failure: str, *, at: datetime) -> tuple[Self, TicketTriageFailed]:
        """The ticket without a decision and with the reason why."""
        ticket = self._changed(at, triage_state=TriageState.FAILED, triage_failure=failure)
        return ticket, TicketTriageFailed(ticket.id, ticket.version, failure)

    def _changed(self, at: datetime, **changes: object) -> Self:
        return replace(self, version=self.version + 1, updated_at=at, **changes)  # type: ignore[arg-type]


def guard_log_count(count: int) -> None:
    """Let a number of logs pass that a ticket may have.

    Raises:
        TicketLogsExceeded: it may not.
    """
    if count > MAXIMUM_LOGS:
        raise TicketLogsExceeded(
            f"a ticket has at most {MAXIMUM_LOGS} logs; unlink some first", maximum=str(MAXIMUM_LOGS)
        )
