"""Where a service declares its histories."""

from parcels import HISTORIES

__all__ = ["HISTORIES"]
