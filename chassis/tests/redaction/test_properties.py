"""What holds for every text: nothing raises, nothing found survives, a second pass changes nothing, time is linear."""

import base64
import string
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.redaction import Redactor

KEYED = Redactor(b"0123456789abcdef", web_addresses=True)
PLAIN = Redactor()
RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAGMENTS = [
    *(
        "user ",
        "user=",
        "for user ",
        "invalid user ",
        "Failed password for ",
        " from ",
        " port 22",
        " by ",
        "(uid=0)",
        "su: ",
        "root",
    ),
    *(
        "password",
        "passwd=",
        "token: ",
        "secret => ",
        "apiKey",
        "Authorization: ",
        "Bearer ",
        "Basic ",
        "Cookie: ",
        "key",
        "=",
        ": ",
    ),
    *(
        "192.0.2.7",
        "::1",
        "2001:db8::",
        ":",
        ".",
        "-",
        "@",
        "example.org",
        "ann",
        "ip-",
        "10-0-0-1",
        "rhost=",
        "://",
        "/home/",
        "C:\\Users\\",
    ),
    *(
        "4111111111111111",
        "4111 1111 ",
        "078-05-1120",
        "+1 212 555 0187",
        "phone ",
        "GB82WEST12345698765432",
        "0",
        "12",
        "20",
        "5",
    ),
    *(
        "<IP:ab12cd34>",
        "<USER>",
        "<PASSWORD>",
        "<TOKEN>",
        "<",
        ">",
        "<EMAIL",
        '"',
        "'",
        "\\",
        "\\n",
        "\n",
        "\t",
        " ",
        "  ",
        ",",
        ";",
        "&",
    ),
    *(
        "%40",
        "%3D",
        "%",
        "dXNlcjpodW50ZXIyMTIzNA==",
        "-----BEGIN PRIVATE KEY-----",
        "AKIAABCDEFGHIJKLMNOP",
        "eyJhbGciOi",
        "-u ",
        "--token ",
    ),
    *(
        "\u200b",
        "\uff20",
        "é",
        "\ud800",
        "\x00",
        "\x1a",
        "\x1b[0m",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        "CRON[1]: (",
        ") CMD (",
        "logged in as ",
    ),
]
any_text = st.text(st.characters(), max_size=200)
composed_text = st.lists(st.sampled_from(FRAGMENTS), max_size=16).map("".join)


@RELAXED
@given(st.one_of(any_text, composed_text), st.sampled_from([KEYED, PLAIN]))
def test_a_second_pass_changes_nothing(text: str, redactor: Redactor) -> None:
    once = redactor.redact(text)

    assert redactor.redact(once) == once
    assert redactor.find(once) == []


@RELAXED
@given(st.one_of(any_text, composed_text))
def test_findings_are_ordered_disjoint_and_what_redact_applies(text: str) -> None:
    findings = KEYED.find(text)

    applied, at = "", 0
    for finding in findings:
        assert at <= finding.start < finding.end <= len(text)
        applied += text[at : finding.start] + finding.replacement
        at = finding.end
    assert applied + text[at:] == KEYED.redact(text)


password = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "!@#$%^*_+-./~"), min_size=8, max_size=40
).filter(
    lambda p: (
        any(c.isdigit() for c in p)
        and any(c.isalpha() for c in p)
        and p[0].isalnum()
        and p[-1].isalnum()
        and "x" not in p.lower()
    )
)
CARRIERS: list[Callable[[str], str]] = [
    lambda p: f"password={p}",
    lambda p: f"2024-05-06 07:08:09 INFO db_passwd = {p} retry=3",
    lambda p: f'{{"a": 1, "password": "{p}", "b": "c"}}',
    lambda p: f'{{\\"dbPassword\\": \\"{p}\\"}}',
    lambda p: f"PGPASSWORD='{p}' psql",
    lambda p: f"run --password {p} now",
    lambda p: f"<userPassword>{p}</userPassword>",
    lambda p: f"GET /login?password={quote(p, safe='')}&next=1 HTTP/1.1",
    lambda p: f"body {base64.b64encode(f'the password={p} is set'.encode()).decode()}",
    lambda p: f"redis://default:{quote(p, safe='')}@cache:6379/0",
    lambda p: f"line one\nclient_secret: {p}\nline three",
    lambda p: f"{'x ' * 2000}password={p}{' y' * 2000}",
]


@RELAXED
@given(password, st.sampled_from(CARRIERS))
def test_no_password_survives(secret: str, carry: Callable[[str], str]) -> None:
    text = carry(secret)

    cleaned = PLAIN.redact(text)

    assert secret not in cleaned
    assert quote(secret, safe="") not in cleaned
    assert cleaned != text


def with_luhn_digit(digits: str) -> str:
    total = sum(sum(divmod(int(d) * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


cards = st.one_of(
    *(
        st.tuples(st.just(prefix), st.text(st.sampled_from("0123456789"), min_size=size, max_size=size))
        .map("".join)
        .map(with_luhn_digit)
        for prefix, size in (("4", 14), ("51", 13), ("2221", 11), ("6011", 11), ("37", 12), ("3528", 11))
    )
)
octet = st.integers(0, 255).map(str)
addresses = st.one_of(
    st.tuples(octet, octet, octet, octet).map(".".join),
    st.ip_addresses(v=6).map(str).filter(lambda a: a != "::" and any(c.isdigit() for c in a)),
    st.ip_addresses(v=6).map(lambda a: a.exploded).filter(lambda a: not a.startswith("0000:0000:0000")),
)
emails = st.tuples(
    st.text(st.sampled_from(string.ascii_letters + string.digits + "._+-"), min_size=1, max_size=30).filter(
        lambda s: s[0].isalnum()
    ),
    st.sampled_from(["example.org", "mail.example.co.uk", "exämple.de", "x-y.example.museum"]),
).map("@".join)


@RELAXED
@given(
    st.one_of(cards, addresses, emails),
    st.sampled_from(["{}", "from {} at 07:08:09", '"x":"{}",', "({})", "value={} end", "[{}]"]),
)
def test_no_personal_value_survives(value: str, frame: str) -> None:
    assert value not in PLAIN.redact(frame.format(value))


name = st.text(st.sampled_from(string.ascii_letters + string.digits + "._-"), min_size=2, max_size=20).map(
    "u{}7".format
)
NAME_FORMS = [
    "Failed password for invalid user {} from 192.0.2.1 port 22 ssh2",
    "Accepted publickey for {} from 192.0.2.1 port 22 ssh2",
    "Invalid user {} from 192.0.2.1",
    "pam_unix(sshd:session): session opened for user {} by (uid=0)",
    "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user={}",
    "input_userauth_request: invalid user {} [preauth]",
]


@RELAXED
@given(name, st.sampled_from(NAME_FORMS))
def test_no_sshd_user_name_survives(user: str, form: str) -> None:
    assert PLAIN.redact(form.format(user)) == PLAIN.redact(form.format("bob"))


GROWING = [
    *("a", "1", " ", "@", ".", ":", "-", "/", "%40", "<", '"', "\\", "=", "é", "\u200b", "\x1a", "A1b2"),
    *(
        "a@",
        "a.",
        "1.1",
        "1 ",
        "1-",
        "ab:",
        "::",
        "a=",
        "user ",
        "user=",
        "password=",
        "password",
        "password: a ",
        "token token ",
    ),
    *(
        "://",
        "a://b:",
        "x:y@",
        "for ",
        "Failed x for ",
        "-----BEGIN PRIVATE KEY-----",
        "Authorization: digest ",
        "cookie: a=b;",
        '"password":"',
    ),
    *(
        "4111111111111111",
        "4111 ",
        "+1 ",
        "(12) ",
        "0123 45 ",
        "GB82 ",
        "phone ",
        "AKIA",
        "eyJ",
        "/home/",
        "YWJj",
        "<IP>",
        "<TOKEN>",
        "1-1-1-1.",
    ),
    *("a,", "password=a,", "a&", "user 'x' ", "su: ", "by x(uid=", "<password>", "mysql -p", "\\\\", "\\Users\\"),
]


@pytest.mark.parametrize("seed", GROWING)
def test_time_grows_with_the_length_and_not_faster(seed: str) -> None:
    def seconds(size: int) -> float:
        text = (seed * size)[:size]
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            PLAIN.redact(text)
            best = min(best, time.process_time() - began)
        return best

    small, large = seconds(4_000), seconds(64_000)

    assert large < 64 * max(small, 0.0005)  # 16 times the text; a quadratic pattern would take 256 times as long
