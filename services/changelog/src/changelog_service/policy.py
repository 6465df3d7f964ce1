"""Who may call which RPC of changelog, and what leaves it.

People of hr see what is published, no suggestion beside it, and no author's address.
Machines that push and record read nothing.
"""

from collections.abc import Mapping

from chassis.identity import Call, Role
from chassis.masking import EVERYBODY, Case, Kind, Mask, fields, names, rows, seen_by, table
from chassis.policy import Policy, Rule, allow

_PEOPLE = allow("gateway", roles=(Role.ADMIN, Role.OPS))
_WRITERS = allow("gateway", roles=(Role.ADMIN, Role.OPS), scopes=("changes:write",))
_READERS = allow("gateway", roles=(Role.ADMIN, Role.OPS, Role.HR))
RULES: Mapping[str, Rule] = {
    "PushCommits": _WRITERS,
    "RecordDeployment": _WRITERS,
    "GenerateChangelog": _PEOPLE,
    "PublishChangelog": _PEOPLE,
    "AcceptChangelogSuggestion": _PEOPLE,
    "DismissChangelogSuggestion": _PEOPLE,
    "BatchGetChangelogs": _READERS,
    "BatchGetRepositories": _READERS,
    "BatchGetCommits": _READERS,
    "BatchGetDeployments": _READERS,
    "ListChangelogs": _READERS,
    "ListRepositories": _READERS,
    "ListCommits": _READERS,
    "ListDeployments": _READERS,
    "BatchListChangelogCommits": _READERS,
    "BatchListChangelogDeployments": _READERS,
    "BatchListChangesBefore": _READERS,
}

_WHO_MAKES_THEM = seen_by(Kind.ADMIN, Kind.OPS)

TABLE = table(
    fields(
        "aiops.changelog.v1",
        {
            "Changelog": {
                **rows(
                    EVERYBODY,
                    "id version repository_id repository_name from_ref to_ref state bump bump_sha previous_version "
                    "next_version entries excluded commit_count markdown json highlight_state highlights created_by "
                    "created_at updated_at published_by published_at highlight_failure",
                ),
                **rows(_WHO_MAKES_THEM, "highlight_suggestions"),
            },
            "ChangelogEntry": rows(EVERYBODY, "key section text scope breaking breaking_note commit_shas references"),
            "ExcludedCommit": rows(EVERYBODY, "sha subject reason detail"),
            "Highlights": rows(EVERYBODY, "highlights engine model run_id fallback_reason replaced_count"),
            "Highlight": rows(EVERYBODY, "text entry_keys engine"),
            "HighlightsSuggestion": rows(_WHO_MAKES_THEM, "id highlights read_version suggested_at"),
            "Repository": rows(EVERYBODY, "id version name services commit_count created_at updated_at"),
            "Commit": {
                **rows(
                    EVERYBODY,
                    "id repository_id sha subject body author_name committed_at parent_shas tags type scope breaking "
                    "conventional",
                ),
                **rows(_WHO_MAKES_THEM, "author_email"),
            },
            "Deployment": rows(
                EVERYBODY,
                "id service environment version_name repository_id sha url deployed_at created_by created_at "
                "external_reference",
            ),
            "Change": rows(EVERYBODY, "at deployment commit"),
            "ChangesBefore": rows(EVERYBODY, "key changes truncated"),
            "ChangelogCommits": rows(EVERYBODY, "changelog_id commits"),
            "ChangelogDeployments": rows(EVERYBODY, "changelog_id deployments"),
            "PushCommitsResponse": rows(EVERYBODY, "repository new_commit_count"),
            "RecordDeploymentResponse": rows(EVERYBODY, "deployment"),
            "GenerateChangelogResponse PublishChangelogResponse AcceptChangelogSuggestionResponse "
            "DismissChangelogSuggestionResponse": rows(EVERYBODY, "changelog"),
            "BatchGetChangelogsResponse BatchListChangelogCommitsResponse BatchListChangelogDeploymentsResponse": rows(
                EVERYBODY, "changelogs"
            ),
            "BatchGetRepositoriesResponse": rows(EVERYBODY, "repositories"),
            "BatchGetCommitsResponse": rows(EVERYBODY, "commits"),
            "BatchGetDeploymentsResponse": rows(EVERYBODY, "deployments"),
            "ListChangelogsResponse": rows(EVERYBODY, "changelogs page_info cursors"),
            "ListRepositoriesResponse": rows(EVERYBODY, "repositories page_info cursors"),
            "ListCommitsResponse": rows(EVERYBODY, "commits page_info cursors"),
            "ListDeploymentsResponse": rows(EVERYBODY, "deployments page_info cursors"),
            "BatchListChangesBeforeResponse": rows(EVERYBODY, "moments"),
        },
    ),
    objects={
        # The queries leave drafts out already, so that pages are full; this is the door that none gets past.
        "aiops.changelog.v1.Changelog": (
            Case(EVERYBODY, {"state": "CHANGELOG_STATE_PUBLISHED"}),
            Case(_WHO_MAKES_THEM, {}),
        ),
    },
)

HISTORY = {
    **rows(
        EVERYBODY,
        "repository_id repository_name from_ref to_ref state bump bump_sha previous_version next_version entries "
        "excluded commit_count markdown_sha256 json_sha256 highlight_state highlights highlight_failure created_by "
        "created_at published_by published_at",
    ),
    **rows(_WHO_MAKES_THEM, "highlight_suggestions"),
}
"""Who sees which field of a changelog's past."""
VEILED = frozenset(HISTORY) - names("repository_id repository_name state created_by created_at")
"""What is not read of the time in which it was a draft, by whoever sees no drafts."""


def build_policy() -> Policy:
    """The rules and the mask of changelog."""
    return Policy(RULES, Mask(TABLE))


def sees_drafts(call: Call) -> bool:
    """Whether drafts exist for whom the call is made."""
    return _WHO_MAKES_THEM(call)
