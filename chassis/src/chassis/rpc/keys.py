"""The metadata that goes with every RPC."""

CALLER_TOKEN_KEY = "authorization"  # noqa: S105 - a metadata key
"""`Bearer <svc+jwt>`: the calling service."""
VIEWER_TOKEN_KEY = "x-aiops-on-behalf-of"  # noqa: S105 - a metadata key
"""`Bearer <at+jwt>`: the person or machine it calls for; absent for background work."""
TRACEPARENT_KEY = "traceparent"
"""W3C trace context."""
TRACE_ID_KEY = "x-aiops-trace-id"
"""On every answer: what finds the log lines."""
PATH_KEY = "x-aiops-path"
"""Through what the person or machine came; goes on from service to service, for the audit."""
