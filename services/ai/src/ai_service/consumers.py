"""What ai reacts to: nothing yet; it answers when it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.consumer import Subscription

SUBSCRIPTIONS: tuple[Subscription, ...] = ()
