"""What a redactor takes out, one line for each form that real systems print."""

import base64

import pytest

from chassis.redaction import Redactor


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail to Ann.Lee+x@mail.example.org.", "mail to <EMAIL>."),
        ("<ann@example.org>", "<<EMAIL>>"),
        ("root@localhost ran it", "<EMAIL> ran it"),
        ("from 192.0.2.7:443, 192.0.2.8/24", "from <IP>:443, <IP>/24"),
        ("host/192.0.2.7:8020 to /192.0.2.8", "host/<IP>:8020 to /<IP>"),
        ("http://192.0.2.7:8080/x", "http://<IP>:8080/x"),
        ("BP-108841162-192.0.2.11-1440074360971", "BP-108841162-<IP>-1440074360971"),
        ("IP 192.0.2.1.443 > 192.0.2.2.50312: Flags", "IP <IP>.443 > <IP>.50312: Flags"),
        ("[2001:db8::1]:443 fe80::1%eth0 ::1", "[<IP>]:443 <IP>%eth0 <IP>"),
        ("::ffff:192.0.2.1 connected", "<IP> connected"),
        ("/0:0:0:0:0:0:0:0:2181 bound", "/<IP>:2181 bound"),
        ("addr:2001:db8:0:1:1:1:1:1: refused", "addr:<IP>: refused"),
        ("rhost=adsl-192-0-2-7.dsl.example.net  user=", "rhost=<IP>  user="),
        ("ip-192-0-2-7 joined", "<IP> joined"),
        ("rhost=gate.example.net ", "rhost=<HOST> "),
    ],
)
def test_addresses(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Failed password for invalid user bob from 192.0.2.1 port 22 ssh2",
            "for invalid user <USER> from <IP> port 22 ssh2",
        ),
        ("Failed password for invalid user a b from 192.0.2.1 port 22", "for invalid user <USER> from <IP> port 22"),
        ("Failed none for invalid user 0 from 192.0.2.1 port 22", "for invalid user <USER> from <IP> port 22"),
        ("Accepted publickey for bob from 2001:db8::5 port 22 ssh2", "for <USER> from <IP> port 22 ssh2"),
        ("Invalid user bob from 192.0.2.1", "Invalid user <USER> from <IP>"),
        ("input_userauth_request: invalid user bob [preauth]", "invalid user <USER> [preauth]"),
        (
            "Connection closed by authenticating user bob 192.0.2.1 port 2 [preauth]",
            "user <USER> <IP> port 2 [preauth]",
        ),
        ("Disconnected from user bob 192.0.2.1 port 2", "Disconnected from user <USER> <IP> port 2"),
        ("Too many authentication failures for bob [preauth]", "failures for <USER> [preauth]"),
        (
            "maximum authentication attempts exceeded for invalid user bob from 192.0.2.1 port 1",
            "user <USER> from <IP> port 1",
        ),
        ("User bob from 192.0.2.1 not allowed because", "User <USER> from <IP> not allowed because"),
        ("session opened for user bob by (uid=0)", "session opened for user <USER> by (uid=0)"),
        ("session opened for user root(uid=0) by bob(uid=1000)", "for user <USER>(uid=0) by <USER>(uid=1000)"),
        ("authentication failure; logname= uid=0 ruser= rhost=192.0.2.1  user=bob", "rhost=<IP>  user=<USER>"),
        (
            "sudo:  bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls",
            "<USER> : TTY=pts/0 ; PWD=/home/<USER> ; USER=<USER> ; ",
        ),
        ("su: (to root) bob on pts/1", "su: (to <USER>) <USER> on pts/1"),
        ("CRON[12]: (bob) CMD (run-parts /etc)", "CRON[12]: (<USER>) CMD (run-parts /etc)"),
        ("New session 5 of user bob.", "New session 5 of user <USER>."),
        ('password authentication failed for user "bob"', 'failed for user "<USER>"'),
        (
            "Access denied for user 'bob'@'192.0.2.5' (using password: YES)",
            "user '<USER>'@'<IP>' (using password: YES)",
        ),
        ("imap-login: Login: user=<bob>, method=PLAIN", "user=<<USER>>, method=PLAIN"),
        ('{"username":"bob","user_id":7}', '{"username":"<USER>","user_id":7}'),
        (r"{\"userName\": \"bob\"}", r"{\"userName\": \"<USER>\"}"),
        ("User bob logged in from 192.0.2.1", "User <USER> logged in from <IP>"),
        (
            '192.0.2.1 - bob [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200',
            "<IP> - <USER> [10/Oct/2000:13:55:36 -0700] ",
        ),
        (r"open C:\Users\Bob Lee\x.txt", r"open C:\Users\<USER>\x.txt"),
        ("open /home/bob/.ssh/config", "open /home/<USER>/.ssh/config"),
        ("uid=bob,ou=people,dc=example", "uid=<USER>,ou=people,dc=example"),
        ("ssh bob@192.0.2.1", "ssh <USER>@<IP>"),
        (r"one\nuser=bob\ttwo", r"one\nuser=<USER>"),
        ("logged in as bob", "logged in as <USER>"),
    ],
)
def test_user_names(redactor: Redactor, text: str, expected: str) -> None:
    assert expected in redactor.redact(text)
    assert "bob" not in redactor.redact(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card 4111 1111 1111 1111 declined", "card <CARD> declined"),
        ("paid with 378282246310005", "paid with <CARD>"),
        ("4111-1111-1111-1111", "<CARD>"),
        ("maestro card 6759649826438453", "maestro card <CARD>"),
        ("from GB82 WEST 1234 5698 7654 32 to", "from <IBAN> to"),
        ("iban de89370400440532013000", "iban <IBAN>"),
        ("ssn: 078051120", "ssn: <SSN>"),
        ("record 078-05-1120 found", "record <SSN> found"),
        ("call +1 (212) 555-0187 now", "call <PHONE> now"),
        ("+44 20 7946 0958", "<PHONE>"),
        ("(212) 555-0187 or 212-555-0187", "<PHONE> or <PHONE>"),
        ("Phone: 98765432", "Phone: <PHONE>"),
        ("reach me on 0491 570 006", "reach me on <PHONE>"),
        ('"mobile":"07700900123"', '"mobile":"<PHONE>"'),
    ],
)
def test_personal_numbers(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DB_PASSWORD=s3cr3t!x host=db", "DB_PASSWORD=<PASSWORD> host=db"),
        ("password=a,b&c user_count=3", "password=<PASSWORD> user_count=3"),
        (r'{"password": "a\"b c", "n": 1}', '{"password": "<PASSWORD>", "n": 1}'),
        (r"{\"apiKey\":\"sdf87sdf6SDF\"}", r"{\"apiKey\":\"<TOKEN>\"}"),
        ("password: hunter", "password: <PASSWORD>"),
        ("client_secret => 'abc def'", "client_secret => '<TOKEN>'"),
        ("--password hunter2 --verbose", "--password <PASSWORD> --verbose"),
        ("curl -u ann:hunter2 https://x", "curl -u <USER>:<PASSWORD> https://x"),
        ("<password>hunter2</password>", "<password><PASSWORD></password>"),
        ("postgres://ann:p@ss@db:5432/x", "postgres://<USER>:<PASSWORD>@db:5432/x"),
        ("ann:hunter2@tcp(db:3306)/x", "<USER>:<PASSWORD>@tcp(db:3306)/x"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer <TOKEN>"),
        ('"authorization":"Bearer xyz"', '"authorization":"Bearer <TOKEN>"'),
        ("https://bot:ghs_" + "aB3" * 12 + "@git.example/a", "https://<USER>:<TOKEN>@git.example/a"),
        ("Authorization: Basic YW5uOmh1bnRlcjI=", "Authorization: Basic <TOKEN>"),
        ('authorization: Digest username="ann", response="6629fa"', "authorization: <TOKEN>"),
        ("Cookie: a=b; sid=c GET /", "Cookie: <TOKEN> GET /"),
        ("Set-Cookie: sid=abc; Path=/; HttpOnly", "Set-Cookie: <TOKEN>"),
        ('the password is "hunter2".', 'the password is "<PASSWORD>".'),
        ("password=<TOKEN>hunter2", "password=<TOKEN><PASSWORD>"),
        ("AccountKey=abc/def+ghi123==;Suffix=x", "AccountKey=<TOKEN>;Suffix=x"),
        (r"one\npassword=hunter2\nx", r"one\npassword=<PASSWORD>"),
        (r"one\nghp_" + "aB3" * 12, r"one\n<TOKEN>"),
        ("datadog = '" + "5f2c9a1b" * 4 + "'", "datadog = '<TOKEN>'"),
        ("otp=123456 sent", "otp=<TOKEN> sent"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nnext", "<PRIVATE_KEY>\nnext"),
        (r"-----BEGIN PRIVATE KEY-----\nMIIEabc\n", "<PRIVATE_KEY>"),
    ],
)
def test_secrets_by_what_carries_them(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.redact(text) == expected


@pytest.mark.parametrize(
    ("prefix", "alphabet", "length"),
    [
        ("AKIA", "ABCDEFGHIJ234567", 16),
        *((f"gh{kind}_", "abcdefghijABCDEFGHIJ0123456789", 36) for kind in "pousr"),
        ("github_pat_", "abcdefABCDEF0123456789_", 60),
        ("glpat-", "abcdefABCDEF0123456789-", 20),
        ("xoxb-", "0123456789-abcdef", 40),
        ("sk_live_", "abcdefABCDEF0123456789", 24),
        ("AIza", "abcdefABCDEF0123456789_-", 35),
        ("sk-proj-", "abcdefABCDEF0123456789_-", 48),
        ("sk-", "abcdefABCDEF0123456789", 48),
        ("npm_", "abcdefABCDEF0123456789", 36),
        ("hf_", "abcdefghijABCDEFGHIJ", 34),
        ("hvs.", "abcdefABCDEF0123456789", 24),
        ("dop_v1_", "abcdef0123456789", 64),
        ("SG.abcdefghijklmnop1234.", "abcdefABCDEF0123456789", 43),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.", "abcdefABCDEF0123456789_-", 43),
    ],
)
def test_provider_tokens_by_their_form(redactor: Redactor, prefix: str, alphabet: str, length: int) -> None:
    token = prefix + (alphabet * length)[:length]

    assert redactor.redact(f"sent {token} upstream") == "sent <TOKEN> upstream"
    assert redactor.redact(f'{{"x":"{token}"}}') == '{"x":"<TOKEN>"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\uff41\uff4e\uff4e\uff20example\uff0eorg", "<EMAIL>"),
        ("an\u200bn@exam\u200dple.org", "<EMAIL>"),
        ("\uff14\uff11\uff11\uff11 1111 1111 1111", "<CARD>"),
        ("\u0661\u0669\u0662.0.2.7", "<IP>"),
        ("\x1b[32mpass\x1b[0mword=hunter2", "\x1b[32mpass\x1b[0mword=<PASSWORD>"),
        ("pass\x00word=hunter2", "pass\x00word=<PASSWORD>"),
        ("to=ann%40example.org&x=1", "to=<EMAIL>&x=1"),
        ("q=password%3Dhunter2", "q=password%3D<PASSWORD>"),
        ("jürgen@exämple.de", "<EMAIL>"),
    ],
)
def test_disguises(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.redact(text) == expected


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("the password=hunter2 and more", "<PASSWORD>"),
        ("contact ann@example.org please", "<EMAIL>"),
        ('{"client": "192.0.2.77", "x": 1}', "<IP>"),
    ],
)
def test_one_layer_of_base64(redactor: Redactor, inner: str, expected: str) -> None:
    encoded = base64.b64encode(inner.encode()).decode()

    assert redactor.redact(f"payload {encoded} end") == f"payload {expected} end"
    assert redactor.redact(f"GET /v1/{encoded} HTTP") == f"GET /v1/{expected} HTTP"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name": "DB_PASSWORD", "value": "s3cr3t"}', '{"name": "DB_PASSWORD", "value": "<PASSWORD>"}'),
        ('<add key="apiToken" value="abc" />', '<add key="apiToken" value="<TOKEN>" />'),
        ("- name: API_KEY\n  value: abcd1234", "- name: API_KEY\n  value: <TOKEN>"),
        ("kind: Secret\ndata:\n  tls: aGVsbG8hISEh\n", "kind: Secret\ndata:\n  tls: <TOKEN>\n"),
        ("appSecret ::= 'hunter22'", "appSecret ::= '<TOKEN>'"),
        ("db_password ?= hunter22", "db_password ?= <PASSWORD>"),
        ("got _shop_session=" + "aB3" * 12, "got _shop<TOKEN>"),
    ],
)
def test_secrets_in_manifests_and_make_files(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.redact(text) == expected
