"""The refusals of changelog, one class for each reason that it raises."""

from chassis.errors import Conflict, InvalidInput, NotFound


class ChangelogNotFound(NotFound):
    """No changelog has this id, or the caller may not see it."""

    reason = "CHANGELOG_NOT_FOUND"

    def __init__(self, changelog_id: object) -> None:
        super().__init__(
            f"no changelog has the id {changelog_id}; list the changelogs to find the right one", id=str(changelog_id)
        )


class ChangelogPublished(Conflict):
    """A published changelog is not published again, and its notes never change."""

    reason = "CHANGELOG_PUBLISHED"


class ChangelogSuggestionNotFound(NotFound):
    """The changelog has no open suggestion with this id."""

    reason = "CHANGELOG_SUGGESTION_NOT_FOUND"

    def __init__(self, suggestion_id: object) -> None:
        super().__init__(
            f"the changelog has no open suggestion {suggestion_id}; read it again to see which are left",
            id=str(suggestion_id),
        )


class RepositoryNotFound(NotFound):
    """No repository has this name."""

    reason = "REPOSITORY_NOT_FOUND"


class RevisionNotFound(NotFound):
    """No pushed commit of the repository has this hash or tag."""

    reason = "REVISION_NOT_FOUND"


class RangeEmpty(InvalidInput):
    """The range holds no commit."""

    reason = "RANGE_EMPTY"


class TooManyCommits(InvalidInput):
    """More commits than one request takes."""

    reason = "TOO_MANY_COMMITS"


class CommitInvalid(InvalidInput):
    """A commit of the request cannot be taken."""

    reason = "COMMIT_INVALID"


class HistoryIncomplete(Conflict):
    """A commit that decides what the range holds was not pushed."""

    reason = "HISTORY_INCOMPLETE"


class DeploymentReferenceTaken(Conflict):
    """A deployment with this external reference exists."""

    reason = "DEPLOYMENT_REFERENCE_TAKEN"


class VersionNameInvalid(InvalidInput):
    """The text does not name a semantic version."""

    reason = "VERSION_NAME_INVALID"
