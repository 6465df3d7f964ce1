import json
import stat
import time
from pathlib import Path

import pytest
from cli.tests.conftest import Gateway
from typer.testing import CliRunner

from aiops_cli import session
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph

PAIR = {"accessToken": "a2", "accessTokenExpiresAt": "2999-01-01T00:00:00+00:00", "refreshToken": "r2"}


def logged_in(gateway: Gateway, **changes: object) -> session.Session:
    values = {"url": gateway.url, "email": "a@b.c", "access_token": "a1", "access_token_expires_at": time.time() + 600}
    made = session.Session(**{**values, "refresh_token": "r1", **changes})  # type: ignore[arg-type]
    session.save(made)
    return made


def test_login_keeps_the_session_readable_by_its_owner_alone(runner: CliRunner, gateway: Gateway, config: Path) -> None:
    user = {"email": "a@b.c", "displayName": "A", "role": "OPS"}
    gateway.answers = [(200, {"data": {"logIn": {"__typename": "LogInSuccess", "session": PAIR, "user": user}}})]

    done = runner.invoke(
        app, ["login", "--url", gateway.url, "--email", "a@b.c", "--password-stdin"], input="correct horse battery\n"
    )

    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert json.loads(config.read_text())["refresh_token"] == "r2"
    assert "correct horse" not in done.output + config.read_text()
    sent = json.loads(gateway.asked[0][2])["variables"]["input"]
    assert sent["password"] == "correct horse battery"
    assert len(sent["idempotencyKey"]) == 36


def test_a_wrong_password_is_told_and_nothing_is_kept(runner: CliRunner, gateway: Gateway, config: Path) -> None:
    error = {"__typename": "ForbiddenError", "code": "CREDENTIALS_INVALID", "message": "E-mail or password is wrong."}
    gateway.answers = [(200, {"data": {"logIn": error}})]

    done = runner.invoke(app, ["login", "--url", gateway.url, "--email", "a@b.c", "--password-stdin"], input="x\n")

    assert isinstance(done.exception, Failure)
    assert done.exception.reason == "CREDENTIALS_INVALID"
    assert not config.exists()


@pytest.mark.parametrize("seconds_left", [5, -3600])
def test_an_old_access_token_is_renewed_before_it_is_used(gateway: Gateway, config: Path, seconds_left: int) -> None:
    old = logged_in(gateway, access_token_expires_at=time.time() + seconds_left)
    gateway.answers = [
        (200, {"data": {"refresh": {"__typename": "RefreshSuccess", "session": PAIR}}}),
        (200, {"data": {"me": None}}),
    ]

    Graph(old).query("query { me { email } }")

    assert [headers.get("authorization") for _, headers, _ in gateway.asked] == [None, "Bearer a2"]
    assert json.loads(config.read_text())["refresh_token"] == "r2"


def test_logout_ends_an_old_session_without_renewing_it(runner: CliRunner, gateway: Gateway, config: Path) -> None:
    logged_in(gateway, access_token_expires_at=time.time() - 3600)
    gateway.answers = [(200, {"data": {"logOut": {"__typename": "LogOutSuccess"}}})]

    done = runner.invoke(app, ["logout"])

    assert done.exit_code == 0, done.output
    [(_, headers, body)] = gateway.asked
    assert headers.get("authorization") is None
    assert json.loads(body)["variables"]["input"]["refreshToken"] == "r1"
    assert not config.exists()


def test_logout_forgets_the_session_when_the_server_is_away(runner: CliRunner, gateway: Gateway, config: Path) -> None:
    logged_in(gateway, url="http://127.0.0.1:9")

    done = runner.invoke(app, ["logout"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.UNREACHABLE
    assert not config.exists()


@pytest.mark.parametrize("damage", ["", "{", '{"unknown": 1}'])
def test_a_damaged_session_file_says_what_to_do(config: Path, damage: str) -> None:
    config.parent.mkdir()
    config.write_text(damage)

    with pytest.raises(Failure) as refused:
        session.current()

    assert refused.value.code == ExitCode.NOT_LOGGED_IN
    assert "aiops login" in refused.value.message


def test_a_refused_upload_carries_code_and_trace(gateway: Gateway) -> None:
    problem = {"title": "Too large", "detail": "At most 50 MB.", "code": "LOG_TOO_LARGE", "trace_id": "ab" * 16}
    gateway.answers = [(413, problem)]

    with pytest.raises(Failure) as refused:
        Graph(logged_in(gateway)).upload(iter([b"one", b"two"]), {"name": "x"})

    assert (refused.value.reason, refused.value.trace_id) == ("LOG_TOO_LARGE", "ab" * 16)
    path, headers, body = gateway.asked[0]
    assert (path, body) == ("/v1/logs/upload?name=x", b"onetwo")
    assert len(headers["idempotency-key"]) == 36


@pytest.mark.parametrize(
    ("refresh_token", "hint"), [("r1", "Run `aiops login`."), ("", "Set AIOPS_TOKEN to a token that is good.")]
)
def test_a_refused_token_says_how_to_get_another(gateway: Gateway, refresh_token: str, hint: str) -> None:
    refusal = {"message": "the token was refused", "extensions": {"code": "UNAUTHENTICATED", "traceId": "t1"}}
    gateway.answers = [(401, {"errors": [refusal]})]

    with pytest.raises(Failure) as failed:
        Graph(logged_in(gateway, refresh_token=refresh_token)).query("{ me { email } }")

    assert failed.value.message == f"the token was refused. {hint}"
    assert failed.value.code == ExitCode.NOT_LOGGED_IN


def test_a_page_that_is_no_gateway_is_named(gateway: Gateway) -> None:
    gateway.answers = [(502, b"<html>bad gateway</html>")]

    with pytest.raises(Failure) as refused:
        Graph(logged_in(gateway)).query("query { me { email } }")

    assert refused.value.code == ExitCode.UNREACHABLE
    assert gateway.url in refused.value.message


@pytest.mark.parametrize("token", ["aiops_\u00e9", "aiops_a\nb", "aiops_a\x00"])
def test_a_token_that_no_header_can_carry_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setattr("os.environ", {"AIOPS_TOKEN": token})

    with pytest.raises(Failure) as refused:
        session.current()

    assert refused.value.code is ExitCode.NOT_LOGGED_IN
    assert refused.value.message == "AIOPS_TOKEN holds characters that no token has. Copy it again."


@pytest.mark.parametrize(
    ("role", "after"), [("ADMIN", "logs push FILE"), ("HR", "tickets list"), (None, "tickets list")]
)
def test_login_names_a_command_that_the_role_may_run(
    runner: CliRunner, gateway: Gateway, config: Path, role: str | None, after: str
) -> None:
    user = {"email": "a@b.c", "displayName": "A", "role": role}
    gateway.answers = [(200, {"data": {"logIn": {"__typename": "LogInSuccess", "session": PAIR, "user": user}}})]

    done = runner.invoke(app, ["login", "--url", gateway.url, "--email", "a@b.c", "--password-stdin"], input="secret\n")

    assert config.exists()
    assert done.stdout.endswith(f"Next: aiops {after}\n")


def test_signup_sends_the_setup_token_of_the_file_and_keeps_nothing(
    runner: CliRunner, gateway: Gateway, config: Path, tmp_path: Path
) -> None:
    token = tmp_path / "setup-token"
    token.write_text("a-token-of-the-installation\n")
    made = {"__typename": "SignUpSuccess", "user": {"email": "a@b.c", "role": "ADMIN"}}
    gateway.answers = [(200, {"data": {"signUp": made}})]
    options = ["--url", f"{gateway.url}/", "--email", "a@b.c", "--setup-token-file", str(token), "--password-stdin"]

    done = runner.invoke(app, ["signup", *options], input="correct horse battery\n")

    sent = json.loads(gateway.asked[0][2])["variables"]["input"]
    assert done.output == f"Signed up at {gateway.url} as a@b.c (ADMIN). Next: aiops login --email a@b.c\n"
    assert len(sent.pop("idempotencyKey")) == 36
    assert sent == {"email": "a@b.c", "password": "correct horse battery", "setupToken": "a-token-of-the-installation"}
    assert not config.exists()


def test_signup_names_a_token_file_that_it_cannot_read_and_asks_nobody(
    runner: CliRunner, gateway: Gateway, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"

    done = runner.invoke(
        app, ["signup", "--url", gateway.url, "--email", "a@b.c", "--invitation-file", str(missing), "--password-stdin"]
    )

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, str(missing) in done.exception.message) == (ExitCode.USAGE, True)
    assert gateway.asked == []


def test_a_refused_signup_tells_the_field(runner: CliRunner, gateway: Gateway) -> None:
    fields = [{"path": "password", "message": "at least 12 characters"}]
    refused = {"__typename": "ValidationError", "code": "INVALID_INPUT", "message": "too short", "fields": fields}
    gateway.answers = [(200, {"data": {"signUp": refused}})]

    done = runner.invoke(app, ["signup", "--url", gateway.url, "--email", "a@b.c", "--password-stdin"], input="short\n")

    assert isinstance(done.exception, Failure)
    assert done.exception.told == "password: too short"
