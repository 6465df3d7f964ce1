"""Whose word about a client's address counts: auth slows down log-ins of one address, so nobody may make up his own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.user_pb2 import Session
from chassis.settings import SettingsInvalid
from chassis.testing.harness import Installation
from gateway.settings import GatewaySettings
from gateway.testing.stack import Script

LOG_IN = 'mutation { logIn(input: {email: "ada@example.com", password: "p"}) { __typename } }'
# What the client made up, what the outer proxy saw, and that proxy as the inner one saw it.
TOLD = "198.51.100.1, 203.0.113.9, 10.0.3.4"


@pytest.mark.parametrize(
    ("trusted", "heard"),
    [
        ("", "127.0.0.1"),
        ("10.0.0.0/16", "127.0.0.1"),
        ("127.0.0.1", "10.0.3.4"),
        ("127.0.0.0/8, 10.0.0.0/16", "203.0.113.9"),
    ],
)
async def test_auth_hears_the_last_address_that_is_no_trusted_proxy(
    start_script: Callable[..., AbstractAsyncContextManager[Script]],
    monkeypatch: pytest.MonkeyPatch,
    trusted: str,
    heard: str,
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # the server's own setting, which is not ours
    async with start_script(trusted_proxies=trusted) as script:
        script.auth.answers["LogIn"] = pb.LogInResponse(session=Session(access_token="a", refresh_token="r"))
        headers = {"x-aiops-csrf": "1", "x-forwarded-for": TOLD}
        credentials = {"email": "ada@example.com", "password": "p"}

        await script.gateway.client.post(f"{script.gateway.url}/v1/session", json=credentials, headers=headers)
        await script.gateway.post(LOG_IN, x_forwarded_for=TOLD)

        requests = [request for request in script.auth.requests if isinstance(request, pb.LogInRequest)]
        assert [request.client_address for request in requests] == [heard, heard]


@pytest.mark.parametrize("trusted", ["*", "0.0.0.0/0", "10.0.0.1/16", "ingress-nginx"])
def test_proxies_that_are_no_networks_are_refused(installation: Installation, trusted: str) -> None:
    with pytest.raises(SettingsInvalid, match="GATEWAY_TRUSTED_PROXIES is not valid"):
        GatewaySettings(**installation.settings("gateway", trusted_proxies=trusted))
