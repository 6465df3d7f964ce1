"""A labelled set for the detection of secrets: 480 texts that carry one made-up secret, 480 that only look as if.

Positives are drawn from 40 kinds: tokens in the form that a service gives them (cloud, code hosting, chat, payment,
package registries, machine-learning services), values without a form of their own that a field, header, flag, sentence
or address makes a secret, and private keys. The carrier of the second sort is drawn as well: JSON, escaped JSON,
logfmt, YAML, TOML, shell, query strings, headers, command lines, prose. One in six is disguised: full-width letters,
zero-width characters, percent-encoding or base64. Negatives are of 24 kinds: commit ids, digests, UUIDs, trace ids,
versions, integrity hashes of lock files, base64 of images, paths, names of services (S3, EKS, C4), counters called
token or key, placeholders, templates, and sentences about secrets.

A positive counts as found when every character of the secret is covered; a negative is a false alarm when anything in
it is called a secret. The same seed always gives the same set. No value was ever valid.
"""

from __future__ import annotations

import base64
import random
import string
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20261123
PER_KIND, PER_NEGATIVE = 12, 20
LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM, HEX, BASE32 = LOWER + UPPER + DIGITS, "0123456789abcdef", UPPER + "234567"
URL_SAFE = ALNUM + "_-"


class Case(NamedTuple):
    """A text, where its secret stands (nowhere: both 0), and which kind it is."""

    text: str
    start: int
    end: int
    kind: str


class Draw:
    """Makes values up, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def of(self, alphabet: str, low: int, high: int = 0) -> str:
        """Characters of an alphabet, with a digit and a letter where it has both."""
        while True:
            value = "".join(self.rng.choices(alphabet, k=self.rng.randint(low, high or low)))
            mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
            if (
                mixed
                or len(value) < 6
                or not (set(alphabet) & set(DIGITS) and set(alphabet) & set(ALNUM) - set(DIGITS))
            ):
                return value

    def pick(self, *choices: str) -> str:
        """One of these."""
        return self.rng.choice(choices)

    def password(self) -> str:
        """What a person or a manager would choose."""
        return self.of(LOWER, 1) + self.of(ALNUM + "!#%^*_+", 9, 20) + self.of(ALNUM, 1)


FORMS: dict[str, Callable[[Draw], str]] = {
    "aws": lambda d: d.pick("AKIA", "ASIA") + d.of(BASE32, 16),
    "github": lambda d: d.pick("ghp_", "gho_", "ghs_", "ghr_") + d.of(ALNUM, 36),
    "github_fine": lambda d: "github_pat_" + d.of(ALNUM, 22) + "_" + d.of(ALNUM, 59),
    "gitlab": lambda d: d.pick("glpat-", "gldt-", "glrt-") + d.of(URL_SAFE, 20),
    "slack": lambda d: f"{d.pick('xoxb', 'xoxp')}-{d.of(DIGITS, 12)}-{d.of(DIGITS, 12)}-{d.of(ALNUM, 24)}",
    "stripe": lambda d: d.pick("sk_live_", "rk_test_") + d.of(ALNUM, 24),
    "google": lambda d: "AIza" + d.of(URL_SAFE, 35),
    "openai": lambda d: "sk-proj-" + d.of(URL_SAFE, 74),
    "anthropic": lambda d: "sk-ant-api03-" + d.of(URL_SAFE, 93) + "AA",
    "jwt": lambda d: f"{b64({'alg': 'EdDSA'})}.{b64({'sub': d.of(HEX, 12)})}.{d.of(URL_SAFE, 86)}",
    "npm": lambda d: "npm_" + d.of(ALNUM, 36),
    "pypi": lambda d: "pypi-AgEIcHlwaS5vcmc" + d.of(URL_SAFE, 80),
    "huggingface": lambda d: "hf_" + d.of(LOWER + UPPER, 34),
    "digitalocean": lambda d: "dop_v1_" + d.of(HEX, 64),
    "databricks": lambda d: "dapi" + d.of(HEX, 32),
    "vault": lambda d: "hvs." + d.of(URL_SAFE, 92),
    "sendgrid": lambda d: f"SG.{d.of(URL_SAFE, 22)}.{d.of(URL_SAFE, 43)}",
    "twilio": lambda d: "SK" + d.of(HEX, 32),
    "telegram": lambda d: d.of("123456789", 9) + ":AA" + d.of(URL_SAFE, 33),
    "shopify": lambda d: d.pick("shpat_", "shpss_") + d.of(HEX, 32),
    "grafana": lambda d: "glsa_" + d.of(ALNUM, 32) + "_" + d.of(HEX, 8),
    "docker": lambda d: "dckr_pat_" + d.of(URL_SAFE, 27),
    "linear": lambda d: "lin_api_" + d.of(ALNUM, 40),
    "age": lambda d: "AGE-SECRET-KEY-1" + d.of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
}
FRAMES = (
    "{}",
    "using {} for the upload",
    '{{"value": "{}", "n": 3}}',
    "2026-01-05T09:12:03Z DEBUG client sent {}",
    "https://api.example/v1?x={}&y=1",
    "'{}',",
    "export X={}",
    "step failed: {}: unauthorized",
)
FIELDS: dict[str, Callable[[Draw], tuple[str, str]]] = {
    "password": lambda d: (d.pick("password", "DB_PASSWORD", "userPasswd", "smtp.pwd", "admin-password"), d.password()),
    "api_key": lambda d: (d.pick("api_key", "apiKey", "X-Api-Key", "STRIPE_APIKEY"), d.of(HEX, 32, 40)),
    "secret": lambda d: (d.pick("client_secret", "clientSecret", "JWT_SECRET", "app.secret"), d.of(ALNUM, 20, 44)),
    "token": lambda d: (d.pick("token", "access_token", "refreshToken", "AUTH_TOKEN"), d.of(URL_SAFE, 24, 48)),
    "aws_secret": lambda d: (d.pick("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"), d.of(ALNUM + "+/", 40)),
    "signing": lambda d: (d.pick("signing_key", "encryptionKey", "MASTER_KEY"), d.of(HEX, 64)),
    "session": lambda d: (d.pick("session_id", "sessid", "csrf_token"), d.of(ALNUM, 26)),
    "vendor": lambda d: (d.pick("datadog", "okta", "cloudflare_key", "snyk_api", "mailchimp"), d.of(ALNUM, 32)),
    "account_key": lambda d: (d.pick("AccountKey", "SharedAccessKey"), d.of(ALNUM + "+/", 86) + "=="),
}
CARRIERS = (
    '{{"{0}": "{1}", "port": 5432}}',
    '{{"{0}":"{1}"}}',
    '{{\\"{0}\\":\\"{1}\\"}}',
    "level=info {0}={1} attempt=2",
    '{0}="{1}" host=db-1',
    "{0}: {1}",
    "  {0}: '{1}'",
    '{0} = "{1}"',
    "{0} => '{1}'",
    "{0} := `{1}`",
    "export {0}={1}",
    '<add key="{0}" value="{1}"/>',
    '- name: {0}\n  value: "{1}"',
    "GET /in?{0}={1}&next=%2F HTTP/1.1",
)
PLACES: dict[str, Callable[[Draw], tuple[str, str]]] = {
    "bearer": lambda d: ("Authorization: Bearer {}", d.of(ALNUM + "-._", 24, 60)),
    "basic": lambda d: ("curl -H 'Authorization: Basic {}' x", b64_text(f"{d.of(LOWER, 5)}:{d.password()}")),
    "cookie": lambda d: ("Cookie: {}", "sid=" + d.of(ALNUM, 26)),
    "flag": lambda d: (d.pick("run --password {} -v", "login --token {}", "mysql -h db -p{} shop"), d.of(ALNUM, 12)),
    "userinfo": lambda d: (d.pick("postgres://app:{}@db:5432/x", "redis://:{}@cache:6379"), d.of(ALNUM, 14)),
    "said": lambda d: (d.pick('the password is "{}"', "my token is {}"), d.of(ALNUM, 18)),
    "webhook": lambda d: (
        "https://hooks.slack.com/services/{}",
        f"T{d.of(UPPER, 8)}/B{d.of(UPPER, 8)}/{d.of(ALNUM, 24)}",
    ),
}


def b64_text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def b64(claims: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(repr(claims).replace("'", '"').encode()).decode().rstrip("=")


def disguised(draw: Draw, frame: str, value: str) -> tuple[str, str]:
    """The text around a value and the value, as one of the ways to hide it leaves them."""
    match draw.pick("wide", "zero", "percent", "base64"):
        case "wide":
            return frame, "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and c not in "\"'`\\" else c for c in value)
        case "zero":
            middle = len(value) // 2
            return frame, f"{value[:middle]}\u200b{value[middle:]}"
        case "percent":
            return frame, "".join(f"%{ord(c):02X}" if i % 3 == 0 else quote(c, safe="") for i, c in enumerate(value))
        case _:
            return "payload {}", b64_text(
                "x " + frame.replace("{{", "{").replace("}}", "}").replace("{}", value) + " y"
            )


def positives() -> Iterator[Case]:
    """Texts with a secret each."""
    draw = Draw(SEED)
    for position, (kind, make) in enumerate([*FORMS.items(), *FIELDS.items(), *PLACES.items()]):
        for repeat in range(PER_KIND):
            made = make(draw)
            if isinstance(made, str):
                frame, value = draw.rng.choice(FRAMES), made
            elif kind in FIELDS:
                frame, value = draw.rng.choice(CARRIERS).replace("{0}", made[0]).replace("{1}", "{}"), made[1]
            else:
                frame, value = made
            if (position + repeat) % 6 == 0:
                frame, value = disguised(draw, frame, value)
            text = frame.replace("{{", "{").replace("}}", "}")
            start = text.index("{}")
            yield Case(text.replace("{}", value), start, start + len(value), kind)


def release(draw: Draw) -> str:
    return f"{draw.rng.randint(0, 30)}.{draw.rng.randint(0, 99)}.{draw.rng.randint(0, 9)}"


def integrity(draw: Draw) -> str:
    return base64.b64encode(draw.rng.randbytes(64)).decode()


NEGATIVES: dict[str, Callable[[Draw], str]] = {
    "commit": lambda d: d.pick("commit {}", "Merge {} into main", "reset to {}").format(d.of(HEX, 40)),
    "short_commit": lambda d: d.pick("fix in {}", "since {} the build is red", "image app:{}").format(d.of(HEX, 7, 12)),
    "digest": lambda d: d.pick("sha256:{}", "registry.example/app@sha256:{}", "etag sha256={}").format(d.of(HEX, 64)),
    "md5": lambda d: d.pick("md5 {}  a.tar.gz", "ETag: {}").format(d.of(HEX, 32)),
    "uuid": lambda d: d.pick("req-{}", "id={}", '{{"user_id": "{}"}}', "/v1/orders/{}").format(uuid(d)),
    "trace": lambda d: f"traceparent: 00-{d.of(HEX, 32)}-{d.of(HEX, 16)}-01",
    "span": lambda d: f"trace_id={d.of(HEX, 32)} span_id={d.of(HEX, 16)}",
    "version": lambda d: f"{d.pick('lodash', 'openssl', 'grpcio')} {release(d)}-rc{d.rng.randint(1, 9)}",
    "npm_lock": lambda d: f'"integrity": "sha512-{integrity(d)}",',
    "pip_lock": lambda d: f"    --hash=sha256:{d.of(HEX, 64)} \\",
    "go_sum": lambda d: f"example.org/x/{d.of(LOWER, 6)} v{release(d)} h1:{integrity(d)[:43]}=",
    "image": lambda d: f"data:image/png;base64,iVBORw0KGgo{base64.b64encode(d.rng.randbytes(150)).decode()}",
    "path": lambda d: f"/usr/lib/{d.of(LOWER, 7)}/{d.of(LOWER, 5)}/{d.of(LOWER, 9)}.so.{d.rng.randint(1, 9)}",
    "names": lambda d: (
        d.pick("S3 bucket", "EKS node", "EC2 host", "C4 diagram", "K8s pod", "IPv6 route")
        + f" {d.of(LOWER, 6)}-{d.rng.randint(1, 99)} moved"
    ),
    "pod": lambda d: f"pod/{d.of(LOWER, 6)}-{d.of(HEX, 9)}-{d.of(LOWER + DIGITS, 5)} evicted",
    "counter": lambda d: d.pick("max_tokens={}", "token_count: {}", "tokens used: {}", "key {} of 90000").format(
        d.rng.randint(1, 9999)
    ),
    "key_name": lambda d: d.pick(
        "primary_key=id", "cache key user:{}", "partition key {}", "sort_key: created_at"
    ).format(d.rng.randint(1, 9999)),
    "placeholder": lambda d: (
        d.pick(
            "password=${DB_PASSWORD}",
            "token: <your token>",
            "api_key={{ .Values.key }}",
            "secret=********",
            "password=null",
            "token=$TOKEN",
        )
        + d.pick("", " ok")
    ),
    "about": lambda d: d.pick(
        "password must have {} characters",
        "token expired {} s ago",
        "secret rotated in {} days",
        "wrong password, attempt {}",
        "password reset for {} accounts",
    ).format(d.rng.randint(2, 90)),
    "class": lambda d: (
        f"at com.example.{d.of(LOWER, 6)}.{d.of(LOWER, 7)}TokenProvider.get(Tokens.java:{d.of(DIGITS, 3)})"
    ),
    "fingerprint": lambda d: (
        f"RSA key fingerprint is SHA256:{base64.b64encode(d.rng.randbytes(32)).decode().rstrip('=')}"
    ),
    "public_key": lambda d: (
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{base64.b64encode(d.rng.randbytes(32)).decode()[:43]} deploy"
    ),
    "number": lambda d: f"offset={d.of(DIGITS, 10, 18)} job_{d.of(DIGITS, 13)}_0020 blk_-{d.of(DIGITS, 19)}",
    "reference": lambda d: d.pick(
        "secretName: {}-tls", "secretKeyRef: {}", "tokenSecretRef {}", "passwordFile: /run/secrets/{}"
    ).format(d.of(LOWER, 6)),
}


def uuid(draw: Draw) -> str:
    return "-".join(draw.of(HEX, size) for size in (8, 4, 4, 4, 12))


def negatives() -> Iterator[Case]:
    """Texts with nothing secret in them."""
    draw = Draw(SEED + 1)
    for kind, make in NEGATIVES.items():
        for _ in range(PER_NEGATIVE):
            yield Case(make(draw), 0, 0, kind)
