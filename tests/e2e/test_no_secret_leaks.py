"""Some fifty secrets go in by every door; then no table, stream, process log or prompt of the stack holds one."""

import gzip
import json
import secrets
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import jwt
import pytest
from psycopg import sql
from tests.e2e.client import Client, admin_of, database_of, logged, person
from tests.e2e.conftest import RunningStack
from tests.e2e.scripted_model import Reply, ScriptedModel

MARKER = "a-plain-word-to-be-found"
LETTERS = string.ascii_letters + string.digits


def random_text(length: int, alphabet: str = LETTERS) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def card(first: str, length: int) -> str:
    """A card number whose checksum is right."""
    digits = first + random_text(length - len(first) - 1, string.digits)
    total = sum(sum(divmod(int(digit) * (2 - i % 2), 10)) for i, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def grouped(number: str) -> str:
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def json_web_token() -> str:
    return jwt.encode({"sub": random_text(12), "iat": 1_780_000_000}, random_text(40), "HS256")


@dataclass(frozen=True)
class Canary:
    """A secret and a line of a log in which programs print it."""

    secret: str
    line: str


def canaries() -> Iterator[Canary]:
    """Fresh ones in each run, so that nothing can be tuned to them."""

    def told(line: str, secret: str) -> Canary:
        return Canary(secret, line.replace("@@", secret))

    for line in (
        "mail to @@ was refused",
        "user <@@> signed up",
        'login email="@@" ok',
        "from=@@ size=211 relay=local",
    ):
        yield told(line, f"{random_text(9).lower()}.{random_text(7).lower()}@example.com")
    for line in (
        "connect with password=@@ failed",
        'config {"user": "svc", "password": "@@"}',
        "DB_PASSWORD=@@ was exported",
        "could not connect to postgresql://shop:@@@db:5432/shop",
        "redis://:@@@cache:6379/0 is away",
        "POST /login?user=x&password=@@ 401",
        "curl -u shop:@@ http://api.internal/v1",
    ):
        yield told(line, random_text(18))
    for prefix, length in (
        ("sk-proj-", 48),
        ("ghp_", 36),
        ("glpat-", 20),
        ("xoxb-", 40),
        ("AKIA", 0),
        ("sk_live_", 24),
    ):
        body = random_text(16, string.ascii_uppercase + "234567") if prefix == "AKIA" else random_text(length)
        yield told("calling the API with key @@", prefix + body)
        yield told("export API_KEY=@@", prefix + body[::-1] if prefix == "AKIA" else prefix + random_text(length))
    for line in (
        "Authorization: Bearer @@",
        "session token @@ expired",
        'headers={"authorization": "Bearer @@"}',
        "GET /callback?access_token=@@ 302",
    ):
        yield told(line, json_web_token())
    for first, length in (("4", 16), ("51", 16), ("37", 15), ("6011", 16)):
        number = card(first, length)
        yield told("charged card @@ for 12.50 EUR", number)
    yield told("credit card number: @@", grouped(card("4", 16)))
    for line in (
        "sshd[811]: Failed password for invalid user @@ from 203.0.113.7 port 50122 ssh2",
        "sshd[812]: Failed password for @@ from 203.0.113.8 port 50123 ssh2",
        "sshd[813]: Accepted publickey for @@ from 203.0.113.9 port 50124 ssh2",
        "sshd[814]: Invalid user @@ from 203.0.113.10 port 50125",
        "sshd[815]: pam_unix(sshd:session): session opened for user @@ by (uid=0)",
        "sshd[816]: pam_unix(sshd:auth): authentication failure; logname= uid=0 rhost=203.0.113.4 user=@@",
        "sshd[817]: Disconnected from user @@ 203.0.113.11 port 50126",
    ):
        yield told(line, "q" + random_text(9, string.ascii_lowercase))
    for line in ("connection from @@ refused", "client @@ timed out", "peer [@@] left"):
        yield told(line, f"198.51.{secrets.randbelow(90) + 100}.{secrets.randbelow(90) + 100}")
    yield told("client_secret=@@", random_text(40))
    yield told("Set-Cookie: sessionid=@@; Path=/", random_text(32))
    yield told("X-Api-Key: @@", random_text(32, "0123456789abcdef"))
    yield told("-----BEGIN PRIVATE KEY-----\\n@@\\n-----END PRIVATE KEY-----", "MC4CAQAwBQYDK2" + random_text(50))


def log_of(some: Iterable[Canary]) -> bytes:
    lines = [f"2026-11-20T10:00:00Z ERROR shop: {canary.line}" for canary in some]
    return "\n".join([*lines, f"2026-11-20T10:00:01Z ERROR shop: {MARKER}"]).encode()


def found_in(texts: Iterable[bytes], wanted: Iterable[str]) -> set[str]:
    joined = b"\n".join(texts)
    return {secret for secret in wanted if secret.encode() in joined or secret.encode().hex().encode() in joined}


def rows_of(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as a dump would have it, with the name of its table."""
    with database_of(stack) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('auth', 'logs', 'ai')"
        ).fetchall()
        for schema, table in tables:
            statement = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(schema, table))
            with connection.cursor().copy(statement) as rows:
                yield f"{schema}.{table}", b"".join(map(bytes, rows))


@dataclass(frozen=True)
class Told:
    """What was told to the stack, and must not be told on."""

    stack: RunningStack
    model: ScriptedModel
    secrets: dict[str, str]
    """Each secret and the way in which it came."""
    email: str
    """The address of somebody who has an account."""

    def leaks(self, texts: Iterable[bytes]) -> dict[str, str]:
        return {secret: self.secrets[secret] for secret in found_in(texts, self.secrets)}


@pytest.fixture(scope="module")
def told(model_stack: tuple[RunningStack, ScriptedModel]) -> Told:
    """The stack after all secrets went in by every door."""
    stack, model = model_stack
    model.answer = lambda _: Reply(401, b"{}")
    admin, every = admin_of(stack), list(canaries())
    assert len(every) >= 45
    known = {canary.secret: canary.line for canary in every}
    colleague, email, password = person(stack, admin, "OPS")
    known |= {password: "password of an account", admin.token: "access token", colleague.token: "access token"}

    ids = [
        admin.stored(log_of(every)),
        admin.stored(gzip.compress(log_of(every)), headers={"Content-Encoding": "gzip"}),
        admin.stored("\n".join(json.dumps({"level": "error", "message": c.line}) for c in every).encode()),
    ]
    pasted = admin.mutate("summarizeLog", "log { id }", name="paste", text=log_of(every).decode())
    for canary in every:
        line = canary.line[:200]
        named = admin.mutate("summarizeLog", "log { id version }", name=line, service=line, text=MARKER)
        assert named["__typename"] == "SummarizeLogSuccess", named
    log = admin.summarized(ids[0])
    noted = admin.mutate(
        "updateLog", "log { version }", logId=log["id"], expectedVersion=log["version"], notes=log_of(every).decode()
    )
    reason = next(canary.line for canary in every if "password=" in canary.line)
    admin.mutate(
        "updateLogStatus",
        "log { id }",
        logId=log["id"],
        expectedVersion=noted["log"]["version"],
        status="ACKNOWLEDGED",
        reason=reason,
    )
    known |= bad_log_ins(stack)
    known |= refused_requests(stack, admin, every)
    for log_id in (*ids, pasted["log"]["id"], named["log"]["id"]):
        admin.summarized(log_id)
    return Told(stack, model, known, email)


def bad_log_ins(stack: RunningStack) -> dict[str, str]:
    """Passwords and addresses of people whom nobody knows, and tokens that nobody gave out."""
    stranger = Client(stack.url)
    known: dict[str, str] = {}
    for _ in range(3):
        email, password = f"{random_text(10).lower()}@example.org", random_text(20)
        stranger.mutate("logIn", "user { id }", email=email, password=password)
        stranger.mutate("signUp", "user { id }", email=email, password=password, setupToken=password[::-1])
        known |= {email: "bad log-in", password: "bad log-in", password[::-1]: "setup token"}
    typed_as_email = random_text(20)
    stranger.mutate("logIn", "user { id }", email=typed_as_email, password="x")
    token, refresh = json_web_token(), random_text(43)
    Client(stack.url, token).ask("{ me { id } }")
    Client(stack.url, "aiops_" + refresh).ask("{ me { id } }")
    stranger.mutate("refresh", "user { id }", refreshToken=refresh)
    return known | {typed_as_email: "password typed as e-mail", token: "foreign token", refresh: "refresh token"}


def refused_requests(stack: RunningStack, admin: Client, every: list[Canary]) -> dict[str, str]:
    """Secrets in requests that end in an error, where programs like to print what they were given."""
    key, variable, literal = random_text(40), random_text(20), random_text(20)
    admin.mutate("summarizeLog", "log { id }", name="keyed", text=MARKER, idempotencyKey=key)
    admin.mutate("summarizeLog", "log { id }", name="keyed", text=log_of(every[:3]).decode(), idempotencyKey=key)
    admin.ask("query($id: ID!) { log(id: $id) { id } }", {"id": variable})
    admin.ask("mutation($i: LogInInput!) { logIn(input: $i) { __typename } }", {"i": {"pasword": variable}})
    admin.ask(f'mutation {{ logIn(input: {{email: "a", pasword: "{literal}"}}) {{ __typename }} }}')
    admin.ask(f'{{ logs(filter: {{text: "{literal}"}}) {{ nodes {{ id }} }} }}')
    admin.upload(log_of(every), name="n" * 201)
    admin.upload(b"\x7fELF" + log_of(every))
    admin.http.post(f"/v1/logs/upload?name={literal}&timezone={variable}", content=MARKER.encode())
    return {key: "idempotency key", variable: "variable", literal: "literal in a document"}


def test_no_table_holds_a_secret(told: Told) -> None:
    tables = dict(rows_of(told.stack))

    assert MARKER.encode() in tables["logs.log_records"]
    assert {table: found for table, rows in tables.items() if (found := told.leaks([rows]))} == {}


def test_no_stream_holds_a_secret(told: Told) -> None:
    files = [path for path in (told.stack.folder / "nats" / "jetstream").rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in files]

    assert any(b"aiops.logs.log.received.v1" in text for text in texts)
    assert told.leaks(texts) == {}


def test_no_process_logs_a_secret(told: Told) -> None:
    assert {secret: told.secrets[secret] for secret in logged(told.stack, *told.secrets)} == {}


def test_no_process_logs_what_the_stack_itself_keeps_secret(told: Told) -> None:
    kept = list(json.loads((told.stack.folder / "secrets.json").read_text()).values())
    kept += [path.read_text() for path in (told.stack.folder / "keys").iterdir()]

    assert logged(told.stack, *kept) == []


def test_no_prompt_holds_a_secret(told: Told) -> None:
    assert any(MARKER.encode() in prompt for prompt in told.model.prompts)
    assert told.leaks(told.model.prompts) == {}


def test_address_of_an_account_is_in_the_table_of_accounts_alone(told: Told) -> None:
    holders = [table for table, rows in rows_of(told.stack) if told.email.encode() in rows]

    assert holders == ["auth.users"]
    assert logged(told.stack, told.email) == []
