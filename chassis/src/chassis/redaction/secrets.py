"""Finds credentials by the header, field, flag, sentence or address that carries them, and private keys."""

from collections.abc import Iterator

from chassis.redaction.keys import kind_of_field, kind_of_key
from chassis.redaction.matching import Kind, Match, Rule, Span, group_spans, pattern
from chassis.redaction.randomness import LONG, decode_base64, is_mixed, is_opaque

_PRIVATE_KEY = pattern(
    rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]*-----END [A-Z0-9 ]{0,40}-----"
    rb"|[A-Za-z0-9+/=:,\\\s\x1a-]*)"
)
_KEY_BODY = pattern(rb"^\s*(?:[A-Za-z0-9+/]{60,76}\s*)+[A-Za-z0-9+/]{0,76}={0,2}\s*$")

_FIELD = pattern(
    rb"(?i)([\w.-]*(?:passw|pwd|pass|secret|token|key|auth|credential|cookie|sess(?:ion)?[ _.-]?id|csrf|xsrf|jwt"
    rb"|bearer|otp|cvv|"
    rb"cvc|sid|sig)[\w-]*)"
    rb"(\\*[\"']?\]?(?:[ \t]{0,8}(?:=>|[?.:|]{1,3}=|==|:)[ \t\r\n]{0,8}|[ \t]{1,8}=[ \t]{1,8}|=))"
    rb"(\"((?:[^\"\\\x1a]|\\[^\x1a])*)|\\+\"((?:[^\"\\\x1a]|\\[^\"\\\x1a])*)|\\*'([^'\x1a]*)|\\*`([^`\x1a]*)"
    rb"|\x1a*([^\s\"'`&;,\x1a]+))"
)
_FLAG = pattern(
    rb"(?i)(?:^|[\s\"'])--?([a-z-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|access-?key|auth)[a-z-]*)[ \t]+"
    rb"[\"']?([^\s\"'\x1a-][^\s\"'\x1a]*)"
)
_FLAG_USER = pattern(rb"(?:^|\s)(?:-u|--user|--proxy-user)[ =][\"']?([^\s:\"'\x1a]+):([^\s\"'\x1a]+)")
_FLAG_GLUED = pattern(rb"\bmysql[a-z]* [^|;\n\x1a]{0,200}?-p([^\s\"'\x1a-][^\s\"'\x1a]*)")
_ELEMENT = pattern(
    rb"(?i)<([a-z:_.-]*(?:passw(?:or)?d|pwd|secret|token|api-?_?key|credential)[a-z:_.-]*)>([^<\x1a]+)</"
)
_NAMED_VALUE = pattern(
    rb"(?i)\b(?:name|key)\\*[\"']?[ \t]*[=:][ \t]*\\*[\"']?([\w.:/-]{3,80})\\*[\"']?[ \t]*,?\s{0,40}\\*[\"']?"
    rb"value\\*[\"']?[ \t]*[=:][ \t]*\\*[\"']?([^\s\"'\\,\x1a]+)"
)
_SECRET_MANIFEST = pattern(rb"(?i)\bkind:[ \t]*[\"']?secret\b")
_MANIFEST_VALUE = pattern(rb"(?m)^[ \t]+[\w.-]+:[ \t]*[\"']?([A-Za-z0-9+/]{8,}={0,2})[\"']?[ \t]*\r?$")
_HEADER = pattern(
    rb"(?i)\b(?:proxy-)?authorization\\*[\"']?\]?[ \t]*(?:=>|[:=])[ \t]*\\*[\"'\[]?"
    rb"(?:((?:digest|aws4-hmac-sha256|oauth|hawk|signature)[ \t][^\"\r\n\x1a]*(?:\"[^\"\r\n\x1a]*\"[^\"\r\n\x1a]*)*)"
    rb"|(?:[A-Za-z][\w-]*[ \t]+)?([^\s\"',;\]\x1a]{2,}))"
)
_SCHEME = pattern(rb"(?i)\b(bearer|basic|negotiate)[ \t]+([A-Za-z0-9._~+/-]{8,}={0,2})")
_COOKIE = pattern(
    rb"(?i)\b(?:set-?)?cookie2?\\*[\"']?\]?[ \t]*(?:=>|[:=])[ \t]*\\*[\"'\[]?"
    rb"([\w.$%-]+=[^;\s\"'\x1a]+(?:;[ \t]*[\w.$%-]+(?:=[^;\s\"'\x1a]*)?)*)"
)
_USERINFO = pattern(rb"[A-Za-z][A-Za-z0-9+.-]*://([^\s/?#@:\"'<>\x1a]*)(?::([^\s/\"'<>\x1a]*))?@")
_DSN = pattern(rb"\b([\w.-]+):([^\s@/\"'\x1a]+)@(?:tcp|unix|udp)\(")
_SPOKEN = pattern(
    rb"(?i)\b(?:password|passwd|passphrase|passcode|secret|token|(?:api|access|secret|private|auth)[ _-]?key"
    rb"|credentials?)"
    rb"(?:[ \t]+(?:is|was|value|using|set to|(?:for|of|to)(?:[ \t]+[a-z]+){1,3}[ \t]+is)){0,2}[ \t]+"
    rb"(?:[\"'`]([^\s\"'`\x1a]{4,})[\"'`]|([^\s\"'`,;\x1a]{6,}))"
)

_PLACEHOLDERS = frozenset(b"null none nil true false undefined redacted hidden masked filtered removed".split())
_PROSE = frozenset(
    b"null none nil true false yes no on off empty undefined unset redacted hidden masked filtered removed protected "
    b"required "
    b"optional missing invalid incorrect expired expires wrong bad failed failure fails changed reset set unset "
    b"unknown given ok "
    b"success successful valid accepted rejected denied sent received unauthorized prompt string str text type must "
    b"is was not "
    b"cannot can for and or the a an to of in on has have does did should too at be by from with authentication "
    b"authorization "
    b"user password token secret key using login please enter new old your this that error check checking mismatch "
    b"does "
    b"verification validation refresh access bearer basic digest needed provided supplied found disabled enabled "
    b"default "
    b"n/a na unavailable skipped omitted private public plain plaintext md5 sha1 sha256 scram-sha-256 trust "
    b"peer".split()
)
_TEMPLATE = pattern(
    rb"(?:\$\{?[A-Z_][A-Z0-9_.]*\}?|\$[({].*|\{\{?.*|%[sdvr]|%\(?[A-Za-z_]+[)%]?s?|<[A-Za-z _/-]+>?|[*xX.#?_-]+|\[.*)"
)
_BARE = 8
_SHORT_CODES = frozenset({"otp", "cvv", "cvc", "pin"})


def find_private_key(raw: bytes) -> Iterator[Span]:
    """Find PEM private keys, also cut off or with escaped line ends."""
    for match in _PRIVATE_KEY.finditer(raw):
        yield Span(match.start(), match.end(), Kind.PRIVATE_KEY)


def find_key_body(raw: bytes) -> Iterator[Span]:
    """Find a lone line of key material, as when a PEM block arrives line by line."""
    match = _KEY_BODY.match(raw)
    if match and is_mixed(match[0]):
        start = len(raw) - len(raw.lstrip())
        yield Span(start, len(raw.rstrip()), Kind.PRIVATE_KEY)


def find_field(raw: bytes) -> Iterator[Span]:
    """Find the value of a field with a secret's name: `password=…`, `"apiKey": "…"`, `token => …`."""
    for match in _FIELD.finditer(raw):
        if raw[max(0, match.start(1) - 3) : match.start(1)] == b"://":
            continue
        kind = kind_of_field(raw, match)
        if kind not in (Kind.PASSWORD, Kind.TOKEN):
            kind = Kind.TOKEN if _is_generic_key(match) else None
        if kind is None:
            continue
        group = next(group for group in (4, 5, 6, 7, 8) if match.start(group) >= 0)
        start, end = match.start(group), match.end(group)
        quoted = group != _BARE
        if not quoted:
            end = _bare_end(raw, start, end)
        if _is_secret_value(raw, start, end, match, kind, quoted=quoted):
            yield Span(start, end, kind)


def _bare_end(raw: bytes, start: int, end: int) -> int:
    """Extend a bare value over separators that belong to it: `password=a,b&c` but not `password=a,user=b`."""
    more = _MORE_OF_VALUE.match(raw, end)
    while more and raw[more.end() : more.end() + 1] not in (b"=", b":", b'"', b"'"):
        end = more.end()
        more = _MORE_OF_VALUE.match(raw, end)
    value = raw[start:end]
    for closing, opening in ((b")", b"("), (b"]", b"["), (b"}", b"{"), (b">", b"<")):
        while value.endswith(closing) and opening not in value:
            value = value[:-1]
    return start + len(value)


_MORE_OF_VALUE = pattern(rb"[&;,]+[^\s\"'`&;,=:\x1a]+")


def _is_generic_key(match: Match) -> bool:
    """A field merely called `key` holds a secret when its value looks random and is no plain hash or number."""
    value = match[3].strip(b"\\\"'`")
    return match[1].lower().endswith(b"key") and len(value) >= LONG + 4 and is_mixed(value)


def _is_secret_value(raw: bytes, start: int, end: int, match: Match, kind: Kind, *, quoted: bool) -> bool:
    value = raw[start:end].strip()
    name, separator = match[1], match[2]
    plain = value.lower().strip(b".!?:)(")
    if not value or plain in (_PLACEHOLDERS if quoted else _PROSE) or _TEMPLATE.fullmatch(value):
        return False
    if name.isupper() and name.endswith(b"PWD") and value.startswith(b"/"):
        return False
    if kind is Kind.PASSWORD or b"secret" in name.lower():
        prose = b":" in separator and not quoted and value.isalpha() and _PROSE_FOLLOWS.match(raw, end)
        return not prose and not (name.lower() == b"pass" and value.isdigit())
    if any(name.lower().endswith(code.encode()) for code in _SHORT_CODES):
        return value.isdigit()
    return is_opaque(value)


_PROSE_FOLLOWS = pattern(rb"[.,]? +[a-z]+")


def find_flag(raw: bytes) -> Iterator[Span]:
    """Find secrets given on a command line: `--password x`, `--token x`, `curl -u user:x`."""
    for match in _FLAG.finditer(raw):
        kind = kind_of_key(match[1].decode("latin-1"))
        value = match[2]
        if kind in (Kind.PASSWORD, Kind.TOKEN) and value.lower() not in _PROSE and not _TEMPLATE.fullmatch(value):
            yield Span(match.start(2), match.end(2), kind)
    for match in _FLAG_USER.finditer(raw):
        yield Span(match.start(1), match.end(1), Kind.USER)
        yield Span(match.start(2), match.end(2), Kind.PASSWORD)
    for match in _FLAG_GLUED.finditer(raw):
        yield Span(match.start(1), match.end(1), Kind.PASSWORD)


def find_element(raw: bytes) -> Iterator[Span]:
    """Find secrets in XML elements."""
    for match in _ELEMENT.finditer(raw):
        kind = kind_of_key(match[1].decode("latin-1"))
        if kind in (Kind.PASSWORD, Kind.TOKEN) and match[2].strip():
            yield Span(match.start(2), match.end(2), kind)


def find_named_value(raw: bytes) -> Iterator[Span]:
    """Find secrets whose name is a value: `{"name": "DB_PASSWORD", "value": "..."}`, `<add key="..." value="..."/>`."""
    for match in _NAMED_VALUE.finditer(raw):
        kind = kind_of_key(match[1].decode("latin-1"))
        value = match[2]
        if (
            kind in (Kind.PASSWORD, Kind.TOKEN)
            and value.lower() not in _PLACEHOLDERS
            and not _TEMPLATE.fullmatch(value)
        ):
            yield Span(match.start(2), match.end(2), kind)


def find_manifest_value(raw: bytes) -> Iterator[Span]:
    """Find the values of a Kubernetes Secret in YAML, which are base64 under any name."""
    if not _SECRET_MANIFEST.search(raw):
        return
    for match in _MANIFEST_VALUE.finditer(raw):
        value = match[1]
        if len(value) % 4 == 0 and not value.isdigit():
            yield Span(match.start(1), match.end(1), Kind.TOKEN)


def find_header(raw: bytes) -> Iterator[Span]:
    """Find credentials in HTTP authorization and cookie headers, and after a bare scheme name."""
    for match in _HEADER.finditer(raw):
        if match.start(1) >= 0:
            yield Span(match.start(1), match.end(1), Kind.TOKEN)
        elif match[2].lower().strip(b".:") not in _PROSE:
            yield Span(match.start(2), match.end(2), Kind.TOKEN)
    for match in _SCHEME.finditer(raw):
        value = match[2]
        if decode_base64(value) is not None if match[1].lower() == b"basic" else is_opaque(value):
            yield Span(match.start(2), match.end(2), Kind.TOKEN)
    for match in _COOKIE.finditer(raw):
        yield Span(match.start(1), match.end(1), Kind.TOKEN)


def find_userinfo(raw: bytes) -> Iterator[Span]:
    """Find user and password in addresses: `https://user:password@host`, `user:password@tcp(host)/db`."""
    for match in _USERINFO.finditer(raw):
        lone_token = match.start(2) < 0 and is_opaque(match[1]) and len(match[1]) >= LONG
        yield from group_spans(match, (1,), Kind.TOKEN if lone_token else Kind.USER)
        yield from group_spans(match, (2,), Kind.PASSWORD)
    for match in _DSN.finditer(raw):
        yield from group_spans(match, (1,), Kind.USER)
        yield from group_spans(match, (2,), Kind.PASSWORD)


def find_spoken(raw: bytes) -> Iterator[Span]:
    """Find secrets in a sentence: `password is "hunter2"`, `using token 9fK2…`."""
    for match in _SPOKEN.finditer(raw):
        quoted = match.start(1) >= 0
        value = match[1] if quoted else match[2].rstrip(b".:)]")
        password = b"pass" in match[0].lower()
        secret = (quoted and password and value.lower() not in _PROSE) or (
            is_opaque(value) and not value.isdigit() and b"=" not in value[:-2]
        )
        if secret and not _TEMPLATE.fullmatch(value):
            start = match.start(1 if quoted else 2)
            yield Span(start, start + len(value), Kind.PASSWORD if password else Kind.TOKEN)


RULES = (
    Rule(rb"PRIVATE KEY", find_private_key),
    Rule(rb"[A-Za-z0-9+/]{60}", find_key_body),
    Rule(
        rb"(?i)(?:passw|pwd|pass|secret|token|key|auth|credential|cookie|sess(?:ion)?[ _.-]?id|csrf|xsrf|jwt|bearer"
        rb"|otp|cvv|cvc|sid|"
        rb"sig)[\w-]*\\*[\"']?\]?[ \t]*[?.|]{0,3}[=:]",
        find_field,
    ),
    Rule(
        rb"(?i)-[a-z-]*(?:passw|passphrase|secret|token|key|auth)[a-z-]*[ \t]|-u |--(?:proxy-)?user[ =]|mysql.* -p",
        find_flag,
    ),
    Rule(rb"(?i)(?:passw(?:or)?d|pwd|secret|token|key|credential)[a-z:_.-]*>", find_element),
    Rule(rb"(?i)(?:name|key)\\*[\"']?[ \t]*[=:][^\x1a]{0,200}value", find_named_value),
    Rule(rb"(?i)kind:[ \t]*[\"']?secret", find_manifest_value),
    Rule(rb"(?i)authorization|bearer|basic|negotiate|cookie", find_header),
    Rule(rb"@", find_userinfo),
    Rule(rb"(?i)(?:passw|passphrase|passcode|secret|token|[ _-]?key|credentials?)[a-z]*[ \t]", find_spoken),
)
