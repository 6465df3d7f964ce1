"""The `work` role: tells facts, reacts to events, keeps schedules. It may run in several processes at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chassis.background import Background
from chassis.consumer import Consumer
from chassis.history.anchors import EVERY_SECONDS as ANCHOR_SECONDS
from chassis.messaging import Messaging
from chassis.redrive import Redriver
from chassis.relay import Relay
from chassis.schedules import Schedule, Schedules

if TYPE_CHECKING:
    from chassis.service import Service

CONSUMER = "consumer "


class Worker:
    """What works in the background of one process."""

    def __init__(self, service: "Service", background: Background, *, on_fatal: Callable[[str], None]) -> None:
        runtime = service.runtime
        self._background = background
        self.messaging = Messaging(runtime.settings, runtime.name, on_fatal=on_fatal, tls=runtime.tls)
        self._relay = Relay(runtime.unit_of_work, self.messaging, runtime.metrics)
        self._consumers = {
            subscription.durable: Consumer(
                subscription,
                messaging=self.messaging,
                unit_of_work=runtime.unit_of_work,
                redactor=runtime.redactor,
                metrics=runtime.metrics,
            )
            for subscription in service.subscriptions
        }
        self._redriver = Redriver(self._consumers, runtime.unit_of_work, runtime.redactor, runtime.metrics)
        anchoring = [Schedule("history-anchors", ANCHOR_SECONDS, runtime.anchors.run)] if runtime.anchors else []
        self._schedules = Schedules(
            runtime.name, (*service.schedules, *anchoring), runtime.unit_of_work, runtime.metrics
        )

    async def connect(self) -> None:
        """Reach NATS, and have the streams ready.

        Raises:
            SettingsInvalid: NATS would lose what it acknowledged.
            Unavailable: it cannot be reached.
        """
        await self.messaging.connect()

    async def check(self) -> None:
        """Return if NATS is there.

        Raises:
            Unavailable: it is not.
        """
        await self.messaging.check()

    async def check_holds(self) -> None:
        """Return if no consumer holds.

        Raises:
            Unavailable: one does.
        """
        for consumer in self._consumers.values():
            await consumer.hold.check()

    def start(self) -> None:
        """Begin to work."""
        self._background.run("relay", self._relay.run)
        self._background.run("schedules", self._schedules.run)
        for durable, consumer in self._consumers.items():
            self._background.run(f"{CONSUMER}{durable}", consumer.run)
        if self._consumers:
            self._background.run(f"{CONSUMER}redrive", self._redriver.run)

    async def stop(self, seconds: float) -> None:
        """Fetch nothing more, and finish what was begun; the relay still tells its facts."""
        await self._redriver.stop()
        for consumer in self._consumers.values():
            await consumer.stop()
        await self._background.finish(CONSUMER, seconds)
