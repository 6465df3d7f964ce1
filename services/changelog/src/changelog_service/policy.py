"""Who may call which RPC of changelog, and what leaves it.

People of hr see what is published, no suggestion beside it, and no author's address.
Machines that push and record read nothing.
"""

from collections.abc import Iterator

from google.protobuf.message import Message

from aiops.changelog.v1.changelog_pb2 import Changelog, ChangelogState, Commit
from chassis.identity import Call, Role
from chassis.policy import Policy, allow

_ALL = frozenset({Role.ADMIN, Role.OPS})


def build_policy() -> Policy:
    """The table of changelog."""
    people = allow("gateway", roles=(Role.ADMIN, Role.OPS))
    writers = allow("gateway", roles=(Role.ADMIN, Role.OPS), scopes=("changes:write",))
    readers = allow("gateway", roles=(Role.ADMIN, Role.OPS, Role.HR))
    return Policy(
        {
            "PushCommits": writers,
            "RecordDeployment": writers,
            "GenerateChangelog": people,
            "PublishChangelog": people,
            "AcceptChangelogSuggestion": people,
            "DismissChangelogSuggestion": people,
            "BatchGetChangelogs": readers,
            "BatchGetRepositories": readers,
            "BatchGetCommits": readers,
            "BatchGetDeployments": readers,
            "ListChangelogs": readers,
            "ListRepositories": readers,
            "ListCommits": readers,
            "ListDeployments": readers,
            "BatchListChangelogCommits": readers,
            "BatchListChangelogDeployments": readers,
            "BatchListChangesBefore": readers,
        },
        mask=_mask,
    )


def sees_drafts(call: Call) -> bool:
    """Whether drafts exist for whom the call is made."""
    return call.viewer is not None and call.viewer.role in _ALL


def _mask(call: Call, message: Message) -> Message:
    if sees_drafts(call):
        return message
    masked = type(message)()
    masked.CopyFrom(message)
    # The queries leave drafts out already, so that pages are full; this is the door that none gets past.
    _keep_published(masked)
    for commit in _commits_in(masked):
        commit.author_email = ""
    return masked


def _keep_published(message: Message) -> None:
    for field, value in message.ListFields():
        if field.message_type is not Changelog.DESCRIPTOR:
            continue
        shown = [
            c for c in ([value] if isinstance(value, Changelog) else value)
            if c.state == ChangelogState.CHANGELOG_STATE_PUBLISHED
        ]  # fmt: skip
        for changelog in shown:
            changelog.ClearField("highlight_suggestions")
        if isinstance(value, Changelog):
            if not shown:
                message.ClearField(field.name)
        else:
            kept = [Changelog.FromString(c.SerializeToString()) for c in shown]
            message.ClearField(field.name)
            getattr(message, field.name).extend(kept)


def _commits_in(message: Message) -> Iterator[Commit]:
    if isinstance(message, Commit):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                yield from _commits_in(item)
