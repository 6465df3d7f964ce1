"""What a redactor must leave alone: everything that only looks like a value."""

import pytest

from chassis.redaction import Redactor


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(web_addresses=False)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-06 07:08:09,123 INFO x",
        "2024-05-06T07:08:09.123456+02:00",
        "06/May/2024:07:08:09 +0000",
        "May  6 07:08:09 host app[12345]: up",
        "[Mon May 06 07:08:09 2024] [notice]",
        "20240506-07:08:09:606|Step|30002312|total 3579",
        "081109 203615 148 INFO done",
        "17/06/09 20:10:40 INFO x",
        "1131566461 2005.11.09 node 2005-11-09-12.01.01.675872",
        "05.06.2024 07.08.09 and 05-06-2024 and 2024.05.06",
        "1715000000 1715000000123 1715000000123456 1715000000123456789",
        "took 0.2477829 s at 07:08 on 05/06, next 08-05-22-10-15",
    ],
)
def test_times_and_dates(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "block blk_-1608999687919862906 of size 67108864",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 and 9fceb02",
        "550e8400-e29b-41d4-a716-446655440000",
        "The disk of host 01a20d3c-b229-743b-aedc-009657311074 is full",
        "order 00965731-1074-a123-8def-0123456789ab, call 01a20d3c-0049-4301-a234-004930123456",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
        "S3 bucket in EKS, ticket C4, RFC 9110, IPv6, SHA-1",
        "version 1.2.3.4, v10.0.0.1, lib-1.2.3.4.jar, pkg==1.2.3.4, kernel-2.6.32.431.el6.x86_64",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36",
        "OID 1.3.6.1.4.1.2021 and section 1.2.3.4.5.6",
        "mac 5c:50:15:36:bc:03 guid 00:11:22:33:44:55:66:77 std::vector a::b Foo::Bar",
        "fingerprint 16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
        "00000000  48 65 6c 6c 6f 20 77 6f  72 6c 64 0a 00 01 02 03",
        "pci 0000:00:1f.2 8086:1d02 rev 06",
        "getty@tty1.service user@1000.service lodash@4.17.21 Object@1a2b3c4d logo@2x.png",
        "pid 12345 port 50010 exit 137 in 1893 ms, 67108864 bytes",
        "job_1445144423722_0020 attempt_1445144423722_0020_m_000001_0 container_1445144423722_0020_01_000002",
        "req-38101a0b-2096-447d-96ea-a692162415ae 113d3a99c3da401fbd62cc2caa5b96d2",
        "columns 200 300 4000 10 20 30 555 1234 and 100-200-3000",
        "4111111111111112 and 378282246310006 and GB82WEST12345698765433 fail their checksums",
        "id=4539148803436467123 txn 1234567890123456",
    ],
)
def test_identifiers_and_numbers(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "check pass; user unknown",
        "User agent changed; user authentication failed; user input is invalid",
        "password must be at least 8 characters. Password changed. Enter password: ",
        "password: must be at least 8 characters",
        "token expired; unexpected token: } at 5; Invalid token provided; token count: 15; max_tokens=512",
        "token_type=bearer token_expires_in=3600 password_changed_at=2024-05-06 secretName: tls",
        "Authorization: none; basic authentication required; bearer of news",
        "cache_key=user:123 primary_key=id key=value monkey=banana foreign key",
        "password=${DB_PASSWORD} token={{ .Values.token }} secret=**** password=%s password=null",
        "GET /home/products HTTP/1.1 and https://shop.example/home/index",
        "sessionid = 0x14f05578bd80001 established",
        "github_sha=9fceb02d0ae598e95dc970b74767f19372d61af8 heroku: 550e8400-e29b-41d4-a716-446655440000",
        'secret "db-credentials" not found; volume "token-abc12"; kube-api-access-x7k2p',
        "RSA SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Executing with tokens:",
        "wtoken = AppWindowToken{9f4ef63 token=Token{a64f992 ActivityRecord{de9231d u0}}}",
        "users with view permissions: Set(yarn, x); for user authentication; as user space",
        "call 911 bytes, phone book, mobile app v2, office hours 9-17, number 12",
    ],
)
def test_words_about_secrets_and_users(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "replicas", "value": "3"}',
        "- name: TOKEN_TTL\n  value: 3600",
        "- name: DB_PASSWORD\n  valueFrom: db",
        "kind: ConfigMap\ndata:\n  tls: aGVsbG8hISEh\n",
        "a ?= b; x ||= y; token ||= nil",
    ],
)
def test_named_values_that_are_no_secrets(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text) == text
