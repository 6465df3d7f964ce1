"""How the command fails: one line that says what to do, and an exit code that a script can tell apart."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `aiops`. 2 is a usage error, as in every command line tool."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_LOGGED_IN = 3
    UNREACHABLE = 4
    SUMMARY_FAILED = 5
    """The machine's part failed: no summary, no triage."""
    INTERRUPTED = 130
    """As shells have it for Ctrl-C."""


NEXT = {
    "TICKET_NOT_FOUND": "See: aiops tickets list",
    "TICKET_OPTION_NOT_FOUND": "See: aiops tickets options",
    "TICKET_REFERENCE_TAKEN": "See: aiops tickets list --source SOURCE --reference REFERENCE",
    "TICKET_TRIAGE_IN_PROGRESS": "Then: aiops tickets show ID",
    "TICKET_LOG_NOT_LINKED": "See: aiops tickets show ID",
    "LOG_NOT_FOUND": "See: aiops logs list",
    "CHANGELOG_NOT_FOUND": "See: aiops changelogs list",
    "CHANGELOG_PUBLISHED": "Read it: aiops changelogs show ID",
    "REPOSITORY_NOT_FOUND": "Push: aiops commits push --repository NAME",
    "REVISION_NOT_FOUND": "Push: aiops commits push --repository NAME",
    "HISTORY_INCOMPLETE": "Push: aiops commits push --repository NAME",
    "HISTORY_NOT_FOUND": "See which there are: aiops logs list, aiops tickets list, aiops changelogs list",
    "DEAD_LETTER_NOT_FOUND": "See: aiops deadletters list",
    "FORBIDDEN": "See who you are: aiops whoami",
}
"""What to do about a refusal, where its own message cannot know the commands."""


class Failure(Exception):
    """Ends the command with a message for a person, an exit code for a script, and the trace id where there is one."""

    def __init__(
        self,
        message: str,
        code: ExitCode = ExitCode.REFUSED,
        *,
        reason: str = "",
        trace_id: str = "",
        field: str = "",
        answered: bool = False,
        since: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.trace_id = trace_id
        self.field = field
        self.answered = answered
        """The command has printed its JSON, which a second one would make unreadable."""
        self.since = since
        """What others changed since the thing was read, in lines, after a conflict."""

    @property
    def told(self) -> str:
        """The message, behind the field that it is about where there is one."""
        return f"{self.field}: {self.message}" if self.field else self.message

    def as_json(self) -> dict[str, object]:
        """The form that --json prints."""
        error: dict[str, object] = {
            "code": self.reason or self.code.name,
            "message": self.told,
            "trace_id": self.trace_id,
        }
        return {"error": {**error, "changed_since": list(self.since)} if self.since else error}
