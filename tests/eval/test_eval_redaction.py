"""How well log redaction does on labelled lines: made-up values in the forms of real systems, and lines with none.

The lines are generated, so the figures are about forms, not about one corpus. Recall is the share of planted values of
which nothing is left; a false alarm is a clean line that changes.
"""

import random
import string
from collections.abc import Callable, Iterator

import pytest
from tests.eval.adapters import redact, redact_log

LINES_PER_FORM = 40
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"

Draw = Callable[[random.Random], str]


def drawn(alphabet: str, low: int, high: int | None = None) -> Draw:
    return lambda rng: "".join(rng.choices(alphabet, k=rng.randint(low, high or low)))


def luhn(prefix: str, length: int) -> Draw:
    def make(rng: random.Random) -> str:
        digits = prefix + "".join(rng.choices(string.digits, k=length - len(prefix) - 1))
        total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(digits)))
        return digits + str(-total % 10)

    return make


def word(rng: random.Random) -> str:
    return rng.choice(["bo", "kim", "ana", "lee", "raj", "eva", "tom"]) + "".join(
        rng.choices(string.ascii_lowercase, k=4)
    )


def ipv4(rng: random.Random) -> str:
    return ".".join(str(rng.randint(1, 254)) for _ in range(4))


def email(rng: random.Random) -> str:
    return f"{word(rng)}.{word(rng)}@{word(rng)}.example.org"


PASSWORD = drawn(ALNUM + "!#$%^*", 9, 20)
SECRETS: dict[str, Draw] = {
    "{}": lambda rng: "ghp_" + drawn(ALNUM, 36)(rng),
    "using {} as key": lambda rng: "AKIA" + drawn(string.ascii_uppercase + "234567", 16)(rng),
    "slack {}": lambda rng: "xoxb-" + drawn(string.digits, 12)(rng) + "-" + drawn(ALNUM, 24)(rng),
    '"x":"{}"': lambda rng: "sk-proj-" + drawn(ALNUM + "_-", 48)(rng),
    "jwt {}": lambda rng: ".".join(
        ("eyJ" + drawn(ALNUM, 30)(rng), "eyJ" + drawn(ALNUM, 60)(rng), drawn(ALNUM, 43)(rng))
    ),
    "password={} ok": PASSWORD,
    '{{"dbPassword": "{}"}}': PASSWORD,
    "MYSQL_PWD='{}' mysqldump": PASSWORD,
    "--password {} --force": drawn(ALNUM, 9, 16),
    "amqp://app:{}@mq:5672/v": drawn(ALNUM, 9, 20),
    "Authorization: Bearer {}": drawn(ALNUM + "-._", 24, 60),
    "api_key: {}": drawn(HEX, 32),
    "client_secret={}&grant=x": drawn(ALNUM, 24),
    "accessToken='{}'": drawn(ALNUM, 20, 40),
    "Cookie: sid={}": drawn(ALNUM, 26),
    "datadog: {}": drawn(HEX, 40),
    "token for the job is {}": drawn(ALNUM, 32),
}
PERSONAL: dict[str, Draw] = {
    "mail from {} queued": email,
    "client {}:443 closed": ipv4,
    "[{}] up": lambda rng: ":".join(f"{rng.randint(1, 65535):x}" for _ in range(8)),
    "charged {} ok": luhn("4", 16),
    "amount 12.00 pan={}": luhn("37", 15),
    "card {} lost": luhn("60", 16),
    "ssn {}": lambda rng: f"{rng.randint(100, 600)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
    "call +44 {}": lambda rng: f"20 7946 0{rng.randint(100, 999)}",
    "Phone: {}": lambda rng: f"0{rng.randint(100, 999)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}",
    "Failed password for invalid user {} from 192.0.2.1 port 22 ssh2": word,
    "session opened for user {} by (uid=0)": word,
    "sudo: {} : TTY=pts/0 ; PWD=/tmp": word,
    'GET / user="{}"': word,
    "open /home/{}/x": word,
}
CLEAN: dict[str, Draw] = {
    "commit {}": drawn(HEX, 40),
    "trace_id={}": drawn(HEX, 32),
    "blk_-{}": drawn(string.digits, 19),
    "2024-05-06 07:08:09,{} INFO done": drawn(string.digits, 3),
    "at 17150{} and 1715000000{}": drawn(string.digits, 3),
    "release v10.{}.0.1": lambda rng: str(rng.randint(0, 99)),
    "req-{}": lambda rng: "-".join(drawn(HEX, n)(rng) for n in (8, 4, 4, 4, 12)),
    "pid {} exited": drawn(string.digits, 5),
    "mac {}": lambda rng: ":".join(drawn(HEX, 2)(rng) for _ in range(6)),
    "job_{}_0020 took 15 ms": drawn(string.digits, 13),
    "sha256:{}": drawn(HEX, 64),
    "offset={} size=67108864": drawn(string.digits, 10, 18),
    "token count: {}": drawn(string.digits, 3, 5),
    "cache key user:{}": drawn(string.digits, 6),
    "password must have {} characters": drawn(string.digits, 1),
    "com.example.{}Service.run(Main.java:12)": drawn(string.ascii_letters, 18),
}


def lines(forms: dict[str, Draw]) -> Iterator[tuple[str, str]]:
    rng = random.Random(20260101)  # noqa: S311 - repeatable, not secret
    for form, draw in forms.items():
        for _ in range(LINES_PER_FORM):
            value = draw(rng)
            yield form.replace("{{", "{").replace("}}", "}").replace("{}", value), value


def recall(forms: dict[str, Draw]) -> float:
    planted = list(lines(forms))
    hit = 0
    for (line, value), spans in zip(planted, redact_log([line for line, _ in planted]), strict=True):
        start = line.index(value)
        hit += all(any(s <= at < e for s, e, _ in spans) for at in range(start, start + len(value)))
    return hit / len(planted)


def test_planted_secrets_are_found() -> None:
    assert recall(SECRETS) >= 0.99


def test_planted_personal_values_are_found() -> None:
    assert recall(PERSONAL) >= 0.98


def test_clean_lines_raise_no_alarm() -> None:
    clean = [line for line, _ in lines(CLEAN)]

    alarms = [(line, spans) for line, spans in zip(clean, redact_log(clean), strict=True) if spans]

    assert len(alarms) <= len(clean) * 0.005, alarms


@pytest.mark.parametrize(("text", "label"), [("ann@example.org", "EMAIL_ADDRESS"), ("password=hunter2", "SECRET")])
def test_spans_carry_the_scorers_labels(text: str, label: str) -> None:
    assert [found for _, _, found in redact([text])[0]] == [label]


def test_web_addresses_are_spans_only_in_prose() -> None:
    text = "see https://shop.example/basket"

    assert redact_log([text]) == [[]]
    assert redact([text]) == [[(4, 31, "URL")]]
