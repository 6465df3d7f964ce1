"""Reading one commit: its message in parts, and where it belongs when it is seen alone."""

from changelog_service.commits.conventional import parse_message
from changelog_service.commits.model import Commit, Exclusion, ExclusionReason, ReadCommit, Section
from changelog_service.commits.references import find_references


def read(commit: Commit) -> ReadCommit:
    """What a commit says; every message has an answer."""
    message = parse_message(commit.message)
    header = message.header
    section = {"feat": Section.ADDED, "fix": Section.FIXED}.get(header.type.lower() if header else "", Section.CHANGED)
    empty = Exclusion(ExclusionReason.MEANINGLESS, "no subject") if not message.subject else None
    return ReadCommit(
        commit=commit,
        subject=message.subject,
        body=message.rest,
        type=header.type.lower() if header else "",
        scope=header.scope if header else "",
        description=header.description if header else message.subject,
        breaking=bool(header and header.breaking) or bool(message.breaking_notes),
        breaking_note="\n\n".join(message.breaking_notes),
        conventional=header is not None and message.separated,
        references=find_references(commit.message),
        footers=message.footers,
        bot=False,
        merge=len(commit.parent_shas) > 1,
        section=None if empty else section,
        exclusion=empty,
    )
