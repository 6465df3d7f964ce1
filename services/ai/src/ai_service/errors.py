"""What ai refuses, by name."""

from chassis.errors import InvalidInput


class EvidenceEmpty(InvalidInput):
    """There is no entry, so there is nothing to word."""

    reason = "EVIDENCE_EMPTY"


class TriageOptionsInvalid(InvalidInput):
    """No options were declared to choose from, or two have one key."""

    reason = "TRIAGE_OPTIONS_INVALID"
