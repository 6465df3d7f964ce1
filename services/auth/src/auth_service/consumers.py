"""What auth reacts to: no other service's facts. Identity depends on nobody, so that everybody can depend on it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.consumer import Subscription


def subscriptions() -> "tuple[Subscription, ...]":
    """None."""
    return ()
