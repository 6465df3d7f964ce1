"""Secrets, personal values and user names, fresh in each run, each in a line in which programs or people write it.

They are made anew each time, so that nothing can be tuned to them. None of them may be found anywhere afterwards.
"""

import base64
import secrets
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import jwt
import re2

LETTERS = string.ascii_letters + string.digits
MAXIMUM_LINE = 200
"""What a name or title can hold: no line is cut, or half of a secret would pass unseen."""
EMAIL_LINES = (
    "mail to @@ was refused", "user <@@> signed up", 'login email="@@" ok', "from=@@ size=211 relay=local",
    "please write back to @@ today",
)  # fmt: skip
PASSWORD_LINES = (
    "connect with password=@@ failed", 'config {"user": "svc", "password": "@@"}', "DB_PASSWORD=@@ was exported",
    "could not connect to postgresql://shop:@@@db:5432/shop", "redis://:@@@cache:6379/0 is away",
    "POST /login?user=x&password=@@ 401", "curl -u shop:@@ http://api.internal/v1", "client_secret=@@",
)  # fmt: skip
TOKEN_LINES = (
    "Authorization: Bearer @@", "session token @@ expired", 'headers={"authorization": "Bearer @@"}',
    "GET /callback?access_token=@@ 302",
)  # fmt: skip
USER_LINES = (
    "sshd[811]: Failed password for invalid user @@ from 203.0.113.7 port 50122 ssh2",
    "sshd[812]: Failed password for @@ from 203.0.113.8 port 50123 ssh2",
    "sshd[813]: Accepted publickey for @@ from 203.0.113.9 port 50124 ssh2",
    "sshd[814]: Invalid user @@ from 203.0.113.10 port 50125",
    "sshd[815]: pam_unix(sshd:session): session opened for user @@ by (uid=0)",
    "sshd[816]: pam_unix(sshd:auth): authentication failure; logname= uid=0 rhost=203.0.113.4 user=@@",
    "sshd[817]: Disconnected from user @@ 203.0.113.11 port 50126",
)
ADDRESS_LINES = ("connection from @@ refused", "client @@ timed out", "peer [@@] left")
KEY_FORMS = (
    ("sk-proj-", 48, LETTERS), ("ghp_", 36, LETTERS), ("glpat-", 20, LETTERS), ("xoxb-", 40, LETTERS),
    ("AKIA", 16, string.ascii_uppercase + "234567"), ("sk_live_", 24, LETTERS),
)  # fmt: skip
KEY_LINES = ("calling the API with key @@", "export API_KEY=@@")
CARD_FORMS = (("4", 16), ("51", 16), ("37", 15), ("6011", 16))


def random_text(length: int, alphabet: str = LETTERS) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def card(first: str, length: int) -> str:
    """A card number whose checksum is right."""
    digits = first + random_text(length - len(first) - 1, string.digits)
    total = sum(sum(divmod(int(digit) * (2 - i % 2), 10)) for i, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def iban() -> str:
    """A German one whose checksum is right."""
    account = random_text(18, string.digits)
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def grouped(number: str) -> str:
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def json_web_token() -> str:
    return jwt.encode({"sub": random_text(12), "iat": 1_780_000_000}, random_text(40), "HS256")


@dataclass(frozen=True)
class Canary:
    """A secret and a line of a log or a letter in which it stands."""

    kind: str
    secret: str
    line: str


def _one_of_each() -> Iterator[Canary]:
    def told(kind: str, line: str, secret: str) -> Canary:
        return Canary(kind, secret, line.replace("@@", secret, 1))

    for line in EMAIL_LINES:
        yield told("email", line, f"{random_text(9).lower()}.{random_text(7).lower()}@example.com")
    for line in PASSWORD_LINES:
        yield told("password", line, random_text(18))
    for prefix, length, alphabet in KEY_FORMS:
        for line in KEY_LINES:
            yield told("key", line, prefix + random_text(length, alphabet))
    for line in TOKEN_LINES:
        yield told("token", line, json_web_token())
    for first, length in CARD_FORMS:
        yield told("card", "charged card @@ for 12.50 EUR", card(first, length))
    yield told("card", "credit card number: @@", grouped(card("4", 16)))
    yield told("iban", "pay it to IBAN @@ please", iban())
    yield told("iban", "my account is @@", grouped(iban()))
    yield told("phone", "call me at +49 30 @@", f"{random_text(3, '2345678')} {random_text(5, string.digits)}")
    yield told("phone", "phone: @@", f"({random_text(3, '2345678')}) 555-01{random_text(2, string.digits)}")
    for line in USER_LINES:
        yield told("user", line, "q" + random_text(9, string.ascii_lowercase))
    for line in ADDRESS_LINES:
        yield told("address", line, f"198.51.{secrets.randbelow(90) + 100}.{secrets.randbelow(90) + 100}")
    yield told("cookie", "Set-Cookie: sessionid=@@; Path=/", random_text(32))
    yield told("key", "X-Api-Key: @@", random_text(32, "0123456789abcdef"))
    pem = "-----BEGIN PRIVATE KEY-----\\n@@\\n-----END PRIVATE KEY-----"
    yield told("private key", pem, "MC4CAQAwBQYDK2" + random_text(50))


def canaries(count: int) -> list[Canary]:
    """At least so many, of all kinds in turn, each secret but once."""
    found: dict[str, Canary] = {}
    while len(found) < count:
        found |= {canary.secret: canary for canary in _one_of_each()}
    assert all(len(canary.line) <= MAXIMUM_LINE for canary in found.values())
    return list(found.values())


def _spellings(secret: str) -> Iterator[bytes]:
    """The secret as it is, in hex, and in base64 wherever it begins; and as it stands in an address."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield quote(secret, safe="").encode()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        # Without the characters that what stands before and after has a part in.
        yield whole[-(-before * 4 // 3) : -4]


class Search:
    """Looks for all secrets at once, however they are spelled."""

    def __init__(self, secret_by_origin: Iterable[str]) -> None:
        self._secrets = {spelled: secret for secret in secret_by_origin for spelled in _spellings(secret)}
        options = re2.Options()
        options.max_mem = 512 << 20
        options.never_nl = False
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        self._pattern = re2.compile(b"|".join(re2.escape(each) for each in self._secrets), options)

    def found_in(self, *texts: bytes) -> set[str]:
        """The secrets that stand in one of the texts."""
        return {self._secrets[match.group()] for text in texts for match in self._pattern.finditer(text)}
