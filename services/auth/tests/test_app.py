"""Auth as it is run: both roles in one process, on real Postgres and NATS."""

import asyncio

from services.auth.tests.conftest import StartAuth
from services.auth.tests.factories import refusal

from chassis.testing.plugin import TestNats


async def test_facts_reach_nats_and_schedules_run(start_auth: StartAuth, nats_server: TestNats) -> None:
    messaging = {
        "nats_url": nats_server.url,
        "nats_monitor_url": nats_server.monitor_url,
        "nats_user": "auth",
        "nats_password": nats_server.passwords["auth"],
    }

    async with start_auth(roles=("serve", "work"), **messaging) as auth:
        await auth.first_admin()
        with refusal("CREDENTIALS_INVALID"):
            await auth.log_in("ada@example.com", "not the password")

        async with asyncio.timeout(20):
            while not all(row["published_at"] for row in auth.rows("outbox")):  # noqa: ASYNC110 - a row tells nobody
                await asyncio.sleep(0.05)

        assert auth.events() == [("aiops.auth.user.signed_up.v1", 1)]
        assert sorted(row["state"] for row in auth.rows("signing_keys")) == ["current", "next"]
