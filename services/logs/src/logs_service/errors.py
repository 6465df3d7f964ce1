"""The refusals of logs, one class for each reason that it raises."""

from chassis.errors import Conflict, InvalidInput, NotFound


class LogNotFound(NotFound):
    """No log has this id, or the caller may not see it."""

    reason = "LOG_NOT_FOUND"

    def __init__(self, log_id: object) -> None:
        super().__init__(f"no log has the id {log_id}; list the logs to find the right one", id=str(log_id))


class LogEmpty(InvalidInput):
    """The input holds no line with text."""

    reason = "LOG_EMPTY"


class LogTooLarge(InvalidInput):
    """The input is larger than this way in takes."""

    reason = "LOG_TOO_LARGE"


class LogNotText(InvalidInput):
    """The input is an archive, an image, a program or noise."""

    reason = "LOG_NOT_TEXT"


class LogStatusTransitionInvalid(Conflict):
    """The human status cannot change this way."""

    reason = "LOG_STATUS_TRANSITION_INVALID"


class LogSummaryInProgress(Conflict):
    """The log waits for its summary already."""

    reason = "LOG_SUMMARY_IN_PROGRESS"


class LogSuggestionNotFound(NotFound):
    """The log has no open suggestion with this id."""

    reason = "LOG_SUGGESTION_NOT_FOUND"

    def __init__(self, suggestion_id: object) -> None:
        super().__init__(
            f"the log has no open suggestion {suggestion_id}; read the log again to see which are left",
            id=str(suggestion_id),
        )


class LogPatternNotFound(NotFound):
    """No pattern has this id."""

    reason = "LOG_PATTERN_NOT_FOUND"
