"""What ai refuses, by name."""

from chassis.errors import InvalidInput


class EvidenceEmpty(InvalidInput):
    """The evidence has no entry, so there is nothing to word."""

    reason = "EVIDENCE_EMPTY"
