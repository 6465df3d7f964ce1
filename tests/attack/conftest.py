"""What the attacks share."""

from tests.suite import figures

__all__ = ["figures"]
