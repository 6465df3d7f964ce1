"""How the command fails: one line that says what to do, and an exit code that a script can tell apart."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `aiops`. 2 is a usage error, as in every command line tool."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_LOGGED_IN = 3
    UNREACHABLE = 4
    SUMMARY_FAILED = 5


class Failure(Exception):
    """Ends the command with a message for a person, an exit code for a script, and the trace id where there is one."""

    def __init__(
        self, message: str, code: ExitCode = ExitCode.REFUSED, *, reason: str = "", trace_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.trace_id = trace_id

    def as_json(self) -> dict[str, object]:
        """The form that --json prints."""
        return {"error": {"code": self.reason or self.code.name, "message": self.message, "trace_id": self.trace_id}}
