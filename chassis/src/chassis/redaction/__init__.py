"""Redaction: what must not be stored, logged or sent is taken out of text first, or the text is refused."""

from chassis.redaction.matching import Kind
from chassis.redaction.redactor import Finding, RedactionFailed, Redactor

__all__ = ["Finding", "Kind", "RedactionFailed", "Redactor"]
