"""What can be done to a log: one function for each write, inside the caller's transaction."""

from collections.abc import AsyncIterator
from uuid import UUID

from chassis.cleaning import clean_line, clean_text
from chassis.db import WriteTx, guard_version
from chassis.errors import Internal, InvalidArgument
from chassis.ids import uuid7
from chassis.redaction import RedactionFailed, Redactor
from logs_service.commands import DecideSuggestion, ReceiveLog, ResummarizeLog, UpdateLog, UpdateLogStatus
from logs_service.domain import (
    MAXIMUM_NOTES_CHARACTERS,
    MAXIMUM_REASON_CHARACTERS,
    Log,
    Summary,
    clean_tags,
)
from logs_service.ingest.pipeline import Ingestor
from logs_service.store import LogStore, ensure_record_partitions

PARTITION_DAYS = 8
"""Today and a week: so long may every worker be away before logs are refused."""


async def receive_log(cmd: ReceiveLog, chunks: AsyncIterator[bytes], tx: WriteTx, ingestor: Ingestor) -> Log:
    """Store a log, whole or not at all; its summary follows in the background.

    Raises:
        LogEmpty: no line has text.
        LogTooLarge: the input is larger than its way in takes.
        LogNotText: the input is binary.
        Internal: a text could not be redacted.
    """
    log = await ingestor.ingest(cmd, chunks, tx)
    tx.changed(None, log, log.received())
    return log


async def resummarize_log(cmd: ResummarizeLog, tx: WriteTx) -> Log:
    """Send a log back to where it waits for its summary.

    Raises:
        LogNotFound: no log has this id.
        VersionConflict: the log changed since it was read.
        LogSummaryInProgress: it waits already.
    """
    before = await _locked(cmd.log_id, cmd.expected_version, tx)
    log, fact = before.resummarized(at=tx.now)
    return await _saved(log, before, fact, tx)


async def update_log_status(cmd: UpdateLogStatus, tx: WriteTx, redactor: Redactor) -> Log:
    """Move the human status of a log.

    Raises:
        LogNotFound: no log has this id.
        VersionConflict: the log changed since it was read.
        LogStatusTransitionInvalid: the state machine knows no such move.
        InvalidArgument: the reason is too long.
        Internal: the reason could not be redacted.
    """
    reason = _redacted(clean_line(cmd.reason, field="reason", minimum=0, maximum=MAXIMUM_REASON_CHARACTERS), redactor)
    before = await _locked(cmd.log_id, cmd.expected_version, tx)
    log, fact = before.moved_to(cmd.status, reason, at=tx.now)
    return await _saved(log, before, fact, tx, reason=reason)


async def update_log(cmd: UpdateLog, tx: WriteTx, redactor: Redactor) -> Log:
    """Replace tags, notes or severity of a log.

    Raises:
        LogNotFound: no log has this id.
        VersionConflict: the log changed since it was read.
        InvalidArgument: nothing was given, or a tag or the notes are too long.
        Internal: the notes could not be redacted.
    """
    if cmd.tags is None and cmd.notes is None and cmd.severity is None:
        raise InvalidArgument("give tags, notes or severity to change", field="tags")
    tags = None if cmd.tags is None else clean_tags(tuple(_redacted(tag, redactor) for tag in cmd.tags))
    notes = cmd.notes
    if notes is not None:
        notes = _redacted(clean_text(notes, field="notes", maximum=MAXIMUM_NOTES_CHARACTERS), redactor)
    before = await _locked(cmd.log_id, cmd.expected_version, tx)
    log, fact = before.updated(tags=tags, notes=notes, severity=cmd.severity, at=tx.now)
    return await _saved(log, before, fact, tx) if fact is not None else log


async def accept_suggestion(cmd: DecideSuggestion, tx: WriteTx) -> Log:
    """Make a suggested summary the summary of its log.

    Raises:
        LogNotFound: no log has this id.
        VersionConflict: the log changed since it was read.
        LogSuggestionNotFound: the log has no such open suggestion.
    """
    before = await _locked(cmd.log_id, cmd.expected_version, tx)
    log, fact = before.suggestion_accepted(cmd.suggestion_id, at=tx.now)
    return await _saved(log, before, fact, tx)


async def dismiss_suggestion(cmd: DecideSuggestion, tx: WriteTx) -> Log:
    """Put a suggested summary away; the history of the log keeps it.

    Raises:
        LogNotFound: no log has this id.
        VersionConflict: the log changed since it was read.
        LogSuggestionNotFound: the log has no such open suggestion.
    """
    before = await _locked(cmd.log_id, cmd.expected_version, tx)
    log, fact = before.suggestion_dismissed(cmd.suggestion_id, at=tx.now)
    return await _saved(log, before, fact, tx)


async def store_summary(log_id: UUID, summary: Summary, tx: WriteTx) -> None:
    """Give a log the summary that it waits for; beside one that does not any more, keep it as a suggestion.

    Raises:
        LogNotFound: no log has this id.
    """
    before = await LogStore(tx).get_for_update(log_id)
    log: Log
    fact: object
    if before.awaits_summary_of(summary.read_version):
        log, fact = before.summarized(summary, at=tx.now)
    else:
        log, fact = before.summary_suggested(uuid7(), summary, at=tx.now)
    await _saved(log, before, fact, tx)


async def store_failure(log_id: UUID, failure: str, tx: WriteTx, *, read_version: int) -> None:
    """Say why a log has no summary; one that does not wait for it any more stays as it is.

    Raises:
        LogNotFound: no log has this id.
    """
    before = await LogStore(tx).get_for_update(log_id)
    if before.awaits_summary_of(read_version):
        log, fact = before.summary_failed(failure, at=tx.now)
        await _saved(log, before, fact, tx)


async def prepare_partitions(tx: WriteTx) -> None:
    """Make sure that records have a partition to arrive in, today and in the days after."""
    await ensure_record_partitions(tx, first_day=tx.now, days=PARTITION_DAYS)


async def _locked(log_id: UUID, expected_version: int, tx: WriteTx) -> Log:
    log = await LogStore(tx).get_for_update(log_id)
    guard_version(expected=expected_version, actual=log.version, kind="log", id=log_id)
    return log


async def _saved(log: Log, before: Log, fact: object, tx: WriteTx, *, reason: str = "") -> Log:
    await LogStore(tx).save(log, expected_version=before.version)
    tx.changed(before, log, fact, reason=reason)
    return log


def _redacted(text: str, redactor: Redactor) -> str:
    try:
        return redactor.redact(text)
    except RedactionFailed as error:
        raise Internal("the text could not be redacted, so nothing was stored; report this") from error
