"""Finds addresses: IPv4, IPv6, addresses inside host names, e-mail addresses and, on request, web addresses."""

import socket
from collections.abc import Iterator

from chassis.redaction.matching import Kind, Rule, Span, is_digit, is_word, pattern

_DOTTED = pattern(rb"[0-9]+(?:\.[0-9]+){3,}")
_VERSION_BEFORE = pattern(
    rb"(?i)(?:\b(?:version|versions|release|build|revision|ver|rev|v)[\"']?[ :=/]{0,3}[\"'v]?|[~^v]|[<>=]=|"
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2}-|\.so\.|"
    rb"(?:chrome|chromium|crios|headlesschrome|edge?|edga|edgios|opr|opera|safari|firefox|vivaldi|yabrowser|electron|"
    rb"samsungbrowser|ucbrowser|whale|brave)/)\z"
)
_VERSION_AFTER = pattern(
    rb"(?i)(?:rc|alpha|beta|dev|post|[abpr])[0-9]|-(?:snapshot|release|rc|beta|alpha|r[0-9])|"
    rb"\.(?:jar|war|rpm|deb|el[0-9]|fc[0-9]|tar|tgz|gz|zip|so|dll|exe|whl|msi|x86_64|i[3-6]86|noarch|amd64)\b"
)
_NAMED_LABEL = pattern(rb"[.][A-Za-z]")
_HOST_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-"
_NAME_LIMIT = 128
_DASHED_QUAD = pattern(rb"(?:[0-9]{1,3}-){3}[0-9]{1,3}")
_CLIENT_HOST = pattern(rb"\brhost=([A-Za-z0-9\xe9][\w\xe9.-]+)|getaddrinfo for ([A-Za-z0-9\xe9][\w\xe9.-]+) \[")
_COLONS = pattern(rb"[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,}(?:(?:\.[0-9]{1,3}){3})?")
_DOMAIN = pattern(rb"(?:[0-9A-Za-z_\xe9-]+\.)+(?:xn--[0-9a-z-]+|[A-Za-z\xe9]{2,24})\b|localhost\b")
_LOCAL_PART = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\xe9.!#$%*+_-~"
_LOCAL_PART_LIMIT = 128
_NOT_A_DOMAIN = pattern(
    rb"(?i)(?:.*\.(?:service|socket|slice|scope|timer|mount|automount|target|device|swap|png|jpe?g|gif|svg|webp|css|js)"
    rb"|openssh\.com|libssh\.org)"
)
_WEB = pattern(rb"(?i)\bhttps?://[^\s'\"<>)\]\x1a]+|\bwww\.[a-z0-9\xe9-]+(?:\.[a-z0-9\xe9-]+)+[^\s'\"<>)\],\x1a]*")

_OCTETS = 4
_OCTET_MAX = 255
_CLOCK_MAX = 59
_IPV6_GROUPS = 8
_FEW = 3
_HAS_DIGIT = pattern(rb"[0-9]")


def find_ipv4(raw: bytes) -> Iterator[Span]:
    """Find dotted IPv4 addresses; four-part versions, dates and object identifiers are not addresses."""
    for match in _DOTTED.finditer(raw):
        start, end = match.start(), match.end()
        parts = match[0].split(b".")
        if len(parts) == _OCTETS + 1 and _is_capture_endpoint(raw, start, end):
            end -= len(parts.pop()) + 1
        if len(parts) != _OCTETS or not _are_octets(parts):
            continue
        if _VERSION_BEFORE.search(raw[max(0, start - 24) : start]) or _VERSION_AFTER.match(raw, end):
            continue
        yield Span(start, end, Kind.IP)


def _are_octets(parts: list[bytes]) -> bool:
    return all(len(part) <= len(b"255") and int(part) <= _OCTET_MAX for part in parts)


def _is_capture_endpoint(raw: bytes, start: int, end: int) -> bool:
    """Packet captures print the port as a fifth part: `IP 10.0.0.1.443 > 10.0.0.2.50312: Flags`."""
    return raw[end : end + 3] == b" > " or raw[max(0, start - 3) : start] in (b" > ", b"IP ")


def find_host_with_ipv4(raw: bytes) -> Iterator[Span]:
    """Find a provider's host name that spells the address: `ip-10-0-0-1`, `adsl-82-68-222-194.dsl.example.net`."""
    for match in _DASHED_QUAD.finditer(raw):
        start, end = match.start(), match.end()
        if is_digit(raw, start - 1) or (raw[start - 1 : start] == b"-" and is_digit(raw, start - 2)):
            continue
        if is_digit(raw, end) or (raw[end : end + 1] == b"-" and is_digit(raw, end + 1)):
            continue
        octets = match[0].split(b"-")
        if not _are_octets(octets):
            continue
        before, after = raw[max(0, start - _NAME_LIMIT) : start], raw[end : end + _NAME_LIMIT]
        head = before[len(before.rstrip(_HOST_BYTES)) :].lstrip(b".-_")
        tail = after[: len(after) - len(after.lstrip(_HOST_BYTES))].rstrip(b".-_")
        prefixed = head.endswith(b"-") and not head.isdigit() and max(map(int, octets)) > _CLOCK_MAX
        if _NAMED_LABEL.search(tail) or head.lower().endswith(b"ip-") or prefixed:
            yield Span(start - len(head), end + len(tail), Kind.IP)


def find_client_host(raw: bytes) -> Iterator[Span]:
    """Find the host name that PAM and sshd print for a client; it identifies a client as its address does."""
    for match in _CLIENT_HOST.finditer(raw):
        group = 1 if match.start(1) >= 0 else 2
        if not _DOTTED.fullmatch(match[group]):
            yield Span(match.start(group), match.end(group), Kind.HOST)


def canonical_address(value: str) -> str:
    """Return one spelling for every way to write an address, so that all of them become one token."""
    quad = _DASHED_QUAD.search(value.encode("ascii", "replace"))
    if ":" in value:
        try:
            return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, value))
        except OSError:
            return value.lower()
    octets = quad[0].decode("ascii").split("-") if quad else value.split(".")
    return ".".join(octet.lstrip("0") or "0" for octet in octets)


def find_ipv6(raw: bytes) -> Iterator[Span]:
    """Find IPv6 addresses; clock times, hardware addresses and key fingerprints are not addresses."""
    for match in _COLONS.finditer(raw):
        run, start = match[0], match.start()
        if b"::" not in run and run.count(b":") < _IPV6_GROUPS - 2:
            continue
        if is_word(raw, start - 1):
            head = run.find(b":")
            if run[head : head + 2] == b"::":
                continue
            run, start = run[head + 1 :], start + head + 1
        if is_word(raw, match.end()):
            run = run[: run.rfind(b":")]
        found = _ipv6_in(run)
        if found:
            yield Span(start + found[0], start + found[1], Kind.IP)


def _ipv6_in(run: bytes) -> tuple[int, int] | None:
    """Return the longest address in a run of hexadecimal groups: all of it, or without a first or last stray group."""
    groups = run.split(b":")
    if len(groups) > _IPV6_GROUPS + 2 or all(len(group) == 2 for group in groups):  # noqa: PLR2004
        return None
    head, tail = run.find(b":") + 1, run.rfind(b":")
    for start, end in ((0, len(run)), (0, tail), (head, len(run)), (head, tail)):
        piece = run[start:end]
        if piece.count(b":") > 1 and (piece.count(b":") > _FEW or _HAS_DIGIT.search(piece)):
            try:
                socket.inet_pton(socket.AF_INET6, piece.decode("ascii"))
            except OSError:
                continue
            return start, end
    return None


def find_email(raw: bytes) -> Iterator[Span]:
    """Find e-mail addresses; unit names (`getty@tty1.service`), package versions and image names are not addresses."""
    at = raw.find(b"@")
    while at >= 0:
        before = raw[max(0, at - _LOCAL_PART_LIMIT) : at]
        local = before[len(before.rstrip(_LOCAL_PART)) :].lstrip(b".!#$%*-~")
        if local and not _is_userinfo(raw, at):
            domain = _DOMAIN.match(raw, at + 1)
            if domain and not _NOT_A_DOMAIN.fullmatch(domain[0]):
                yield Span(at - len(local), domain.end(), Kind.EMAIL)
        at = raw.find(b"@", at + 1)


def _is_userinfo(raw: bytes, at: int) -> bool:
    """Tell whether this @ ends the user and password of a web or database address, which is not an e-mail address."""
    scheme = raw.rfind(b"://", max(0, at - 2 * _LOCAL_PART_LIMIT), at)
    return scheme >= 0 and not any(byte in b" \t\r\n/?#\"'<>" for byte in raw[scheme + 3 : at])


def find_web_address(raw: bytes) -> Iterator[Span]:
    """Find whole web addresses, for text that people wrote about themselves."""
    for match in _WEB.finditer(raw):
        yield Span(match.start(), match.start() + len(match[0].rstrip(b".,;:!?")), Kind.URL)


RULES = (
    Rule(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", find_ipv4),
    Rule(rb"(?:^|[^0-9])[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}", find_host_with_ipv4),
    Rule(rb"::|(?:[0-9A-Fa-f]{1,4}:){6}", find_ipv6),
    Rule(rb"rhost=[A-Za-z0-9]|getaddrinfo for ", find_client_host),
    Rule(rb"@", find_email),
)
WEB_RULE = Rule(rb"://|www\.|WWW\.", find_web_address)
