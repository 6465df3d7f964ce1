"""Tickets: who wants what done, who may see it, and what triage says of it."""
