"""Finds secrets: provider tokens by their form, credentials by the header, field, flag or address that carries them."""

import base64
import binascii
import math
from collections import Counter
from collections.abc import Iterator

from chassis.redaction.keys import kind_of_key
from chassis.redaction.matching import Kind, Match, Rule, Span, pattern

_PROVIDER_TOKEN = pattern(
    rb"\b(?:(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}\b|A3T[A-Z0-9][A-Z0-9]{16}\b"  # AWS key ids
    rb"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}"
    rb"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_.-]{16,}|GR1348941[A-Za-z0-9_-]{16,}"
    rb"|xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}|xoxe\.[A-Za-z0-9.-]{10,}"
    rb"|(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}"
    rb"|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}|1//0[A-Za-z0-9_-]{24,}"
    rb"|sk-(?:proj|ant|svcacct|admin|or|lf)-[A-Za-z0-9_-]{16,}|sk-[A-Za-z0-9]{20,}"
    rb"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}"  # JWT, JWE
    rb"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{32,}|rubygems_[a-f0-9]{40,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"
    rb"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|(?:AC|SK)[0-9a-f]{32}\b|key-[0-9a-f]{32}\b"
    rb"|[0-9a-f]{32}-us[0-9]{1,2}\b|hf_[A-Za-z]{30,}|api_org_[A-Za-z]{30,}|do[oprt]_v1_[a-f0-9]{40,}|dapi[a-f0-9]{32}"
    rb"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}|AT(?:ATT|CTT|BB)3?[A-Za-z0-9_=-]{20,}"
    rb"|hv[sbr]\.[A-Za-z0-9_-]{20,}|dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,}|lin_(?:api|oauth)_[A-Za-z0-9]{20,}"
    rb"|ntn_[A-Za-z0-9]{30,}|gl(?:sa|c)_[A-Za-z0-9_+/=]{20,}|NR(?:AK|JS|AA|II|RA)-[A-Za-z0-9_-]{16,}"
    rb"|sntry[su]_[A-Za-z0-9_+/=]{20,}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{16,}|PMAK-[a-f0-9-]{40,}|pul-[a-f0-9]{40}"
    rb"|AGE-SECRET-KEY-1[0-9A-Z]{50,}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}|EAAA[A-Za-z0-9_-]{30,}|EAA[A-Za-z0-9]{60,}"
    rb"|figd_[A-Za-z0-9_-]{20,}|HRKU-[A-Za-z0-9_-]{20,}|sbp_[a-f0-9]{40}|pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}"
    rb"|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}|CLOJARS_[a-z0-9]{40,}|LTAI[A-Za-z0-9]{16,}|AKID[A-Za-z0-9]{28,}"
    rb"|tvly-[A-Za-z0-9-]{20,}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|pplx-[A-Za-z0-9]{30,}|r8_[A-Za-z0-9]{36,}"
    rb"|co_api_[A-Za-z0-9]{20,}|fly?o1_[A-Za-z0-9_-]{20,}|FlyV1 [A-Za-z0-9_=,+/-]{20,}|phc_[A-Za-z0-9]{30,}"
    rb"|tskey-[a-z]+-[A-Za-z0-9-]{16,}|v1\.0-[a-f0-9]{24}-[a-f0-9]{60,}|ops_eyJ[A-Za-z0-9+/=_-]{20,}"
    rb"|[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,})"
)
_WEBHOOK = pattern(
    rb"(?i)hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{20,})|"
    rb"discord(?:app)?\.com/api/webhooks/([0-9]+/[A-Za-z0-9_-]{20,})|\.webhook\.office\.com/webhookb2/([A-Za-z0-9@/_-]{30,})"
)
_PRIVATE_KEY = pattern(
    rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]*-----END [A-Z0-9 ]{0,40}-----|[A-Za-z0-9+/=:,\\\s\x1a-]*)"
)
_KEY_BODY = pattern(rb"^\s*[A-Za-z0-9+/]{60,76}={0,2}\s*$")

_FIELD = pattern(
    rb"(?i)([\w.-]*(?:passw|pwd|pass|secret|token|key|auth|credential|cookie|sess(?:ion)?[_.-]?id|csrf|xsrf|jwt|bearer|otp|cvv|"
    rb"cvc|sid|sig)[\w-]*)"
    rb"(\\*[\"']?\]?(?:[ \t]{0,8}(?:=>|:=|==|:)[ \t\r\n]{0,8}|[ \t]{1,8}=[ \t]{1,8}|=))"
    rb"(\"((?:[^\"\\\x1a]|\\[^\x1a])*)|\\+\"((?:[^\"\\\x1a]|\\[^\"\\\x1a])*)|\\*'([^'\x1a]*)|\\*`([^`\x1a]*)"
    rb"|[^\s\"'`&;,\x1a]+)"
)
_FLAG = pattern(
    rb"(?i)(?:^|[\s\"'])--?([a-z-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|access-?key|auth)[a-z-]*)[ \t]+"
    rb"[\"']?([^\s\"'\x1a-][^\s\"'\x1a]*)"
)
_FLAG_USER = pattern(rb"(?:^|\s)(?:-u|--user|--proxy-user)[ =][\"']?([^\s:\"'\x1a]+):([^\s\"'\x1a]+)")
_ELEMENT = pattern(rb"(?i)<([a-z:_.-]*(?:passw(?:or)?d|pwd|secret|token|api-?_?key|credential)[a-z:_.-]*)>([^<\x1a]+)</")
_HEADER = pattern(
    rb"(?i)\b(?:proxy-)?authorization\\*[\"']?\]?[ \t]*(?:=>|[:=])[ \t]*\\*[\"'\[]?"
    rb"(?:((?:digest|aws4-hmac-sha256|oauth|hawk|signature)[ \t][^\"\r\n\x1a]*(?:\"[^\"\r\n\x1a]*\"[^\"\r\n\x1a]*)*)"
    rb"|(?:[A-Za-z][\w-]*[ \t]+)?([^\s\"',;\]\x1a]{4,}))"
)
_SCHEME = pattern(rb"(?i)\b(bearer|basic|negotiate)[ \t]+([A-Za-z0-9._~+/-]{8,}={0,2})")
_COOKIE = pattern(
    rb"(?i)\b(?:set-?)?cookie2?\\*[\"']?\]?[ \t]*(?:=>|[:=])[ \t]*\\*[\"'\[]?"
    rb"([\w.$%-]+=[^;\s\"'\x1a]+(?:;[ \t]*[\w.$%-]+(?:=[^;\s\"'\x1a]*)?)*)"
)
_USERINFO = pattern(rb"[A-Za-z][A-Za-z0-9+.-]*://([^\s/?#@:\"'<>\x1a]*)(?::([^\s/\"'<>\x1a]*))?@")
_DSN = pattern(rb"\b([\w.-]+):([^\s@/\"'\x1a]+)@(?:tcp|unix|udp)\(")
_SPOKEN = pattern(
    rb"(?i)\b(?:password|passwd|passphrase|passcode|secret|token|(?:api|access|secret|private|auth)[ _-]?key|credentials?)"
    rb"(?:[ \t]+(?:is|was|value|using|set to)){0,2}[ \t]+(?:[\"'`]([^\s\"'`\x1a]{4,})[\"'`]|([^\s\"'`,;\x1a]{6,}))"
)

_PLACEHOLDERS = frozenset(b"null none nil true false undefined redacted hidden masked filtered removed".split())
_PROSE = frozenset(
    b"null none nil true false yes no on off empty undefined unset redacted hidden masked filtered removed protected required "
    b"optional missing invalid incorrect expired expires wrong bad failed failure fails changed reset set unset unknown given ok "
    b"success successful valid accepted rejected denied sent received unauthorized prompt string str text type must is was not "
    b"cannot can for and or the a an to of in on has have does did should too at be by from with authentication authorization "
    b"user password token secret key using login please enter new old your this that error check checking mismatch does "
    b"verification validation refresh access bearer basic digest needed provided supplied found disabled enabled default "
    b"n/a na unavailable skipped omitted private public plain plaintext md5 sha1 sha256 scram-sha-256 trust peer".split()
)
_TEMPLATE = pattern(rb"(?:\$\{?[A-Z_][A-Z0-9_.]*\}?|\$[({].*|\{\{?.*|%[sdvr]|%\(?[A-Za-z_]+[)%]?s?|<[A-Za-z _/-]+>?|[*xX.#?_-]+|\[.*)")
_ADDRESS = pattern(rb"0x[0-9A-Fa-f]{1,16}")
_OPAQUE_SHAPE = pattern(rb"[A-Za-z0-9+/_.~=:%!@#$^*|-]+")
_SHORT_CODES = frozenset({"otp", "cvv", "cvc", "pin"})
_BASE64_RUN = pattern(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_OPAQUE_BITS_PER_CHARACTER = 2.5
_OPAQUE_MIN, _OPAQUE_LONG = 6, 16


def find_provider_token(raw: bytes) -> Iterator[Span]:
    """Find tokens whose issuer gives them a recognisable form."""
    for match in _PROVIDER_TOKEN.finditer(raw):
        yield Span(match.start(), match.end(), Kind.TOKEN)


def find_webhook(raw: bytes) -> Iterator[Span]:
    """Find the secret path of incoming webhooks."""
    for match in _WEBHOOK.finditer(raw):
        yield from _groups(match, (1, 2, 3), Kind.TOKEN)


def find_private_key(raw: bytes) -> Iterator[Span]:
    """Find PEM private keys, also cut off or with escaped line ends."""
    for match in _PRIVATE_KEY.finditer(raw):
        yield Span(match.start(), match.end(), Kind.PRIVATE_KEY)


def find_key_body(raw: bytes) -> Iterator[Span]:
    """Find a lone line of key material, as when a PEM block arrives line by line."""
    match = _KEY_BODY.match(raw)
    if match and _is_mixed(match.group()):
        start = len(raw) - len(raw.lstrip())
        yield Span(start, len(raw.rstrip()), Kind.PRIVATE_KEY)


def find_field(raw: bytes) -> Iterator[Span]:
    """Find the value of a field with a secret's name: `password=…`, `"apiKey": "…"`, `token => …`."""
    for match in _FIELD.finditer(raw):
        kind = kind_of_key(match.group(1).decode("latin-1"))
        if kind not in (Kind.PASSWORD, Kind.TOKEN):
            kind = Kind.TOKEN if _is_generic_key(match) else None
        if kind is None:
            continue
        quoted = next((group for group in (4, 5, 6, 7) if match.start(group) >= 0), 0)
        start, end = match.start(quoted or 3), match.end(quoted or 3)
        if not quoted:
            end = _bare_end(raw, start, end)
        if _is_secret_value(raw, start, end, match, kind, quoted=bool(quoted)):
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
    value = match.group(3).strip(b"\\\"'`")
    return match.group(1).lower().endswith(b"key") and len(value) >= _OPAQUE_LONG + 4 and _is_mixed(value)


def _is_secret_value(raw: bytes, start: int, end: int, match: Match, kind: Kind, *, quoted: bool) -> bool:  # noqa: PLR0913
    value = raw[start:end].strip()
    name, separator = match.group(1), match.group(2)
    plain = value.lower().strip(b".!?:)(")
    if not value or plain in (_PLACEHOLDERS if quoted else _PROSE) or _TEMPLATE.fullmatch(value):
        return False
    if name.isupper() and name.endswith(b"PWD") and value.startswith(b"/"):
        return False
    if kind is Kind.PASSWORD:
        prose = b":" in separator and not quoted and value.isalpha() and _PROSE_FOLLOWS.match(raw, end)
        return not prose and not (name.lower() == b"pass" and value.isdigit())
    if any(name.lower().endswith(code.encode()) for code in _SHORT_CODES):
        return value.isdigit()
    if b"secret" in name.lower() and (quoted or b"=" in separator):
        return True
    return _is_opaque(value)


_PROSE_FOLLOWS = pattern(rb"[.,]? +[a-z]+")


def find_flag(raw: bytes) -> Iterator[Span]:
    """Find secrets given on a command line: `--password x`, `--token x`, `curl -u user:x`."""
    for match in _FLAG.finditer(raw):
        kind = kind_of_key(match.group(1).decode("latin-1"))
        value = match.group(2)
        if kind in (Kind.PASSWORD, Kind.TOKEN) and value.lower() not in _PROSE and not _TEMPLATE.fullmatch(value):
            yield Span(match.start(2), match.end(2), kind)
    for match in _FLAG_USER.finditer(raw):
        yield Span(match.start(1), match.end(1), Kind.USER)
        yield Span(match.start(2), match.end(2), Kind.PASSWORD)


def find_element(raw: bytes) -> Iterator[Span]:
    """Find secrets in XML elements."""
    for match in _ELEMENT.finditer(raw):
        kind = kind_of_key(match.group(1).decode("latin-1"))
        if kind in (Kind.PASSWORD, Kind.TOKEN) and match.group(2).strip():
            yield Span(match.start(2), match.end(2), kind)


def find_header(raw: bytes) -> Iterator[Span]:
    """Find credentials in HTTP authorization and cookie headers, and after a bare scheme name."""
    for match in _HEADER.finditer(raw):
        if match.start(1) >= 0:
            yield Span(match.start(1), match.end(1), Kind.TOKEN)
        elif match.group(2).lower().strip(b".:") not in _PROSE:
            yield Span(match.start(2), match.end(2), Kind.TOKEN)
    for match in _SCHEME.finditer(raw):
        value = match.group(2)
        if decode_base64(value) is not None if match.group(1).lower() == b"basic" else _is_opaque(value):
            yield Span(match.start(2), match.end(2), Kind.TOKEN)
    for match in _COOKIE.finditer(raw):
        yield Span(match.start(1), match.end(1), Kind.TOKEN)


def find_userinfo(raw: bytes) -> Iterator[Span]:
    """Find user and password in addresses: `https://user:password@host`, `user:password@tcp(host)/db`."""
    for match in _USERINFO.finditer(raw):
        lone_token = match.start(2) < 0 and _is_opaque(match.group(1)) and len(match.group(1)) >= _OPAQUE_LONG
        yield from _groups(match, (1,), Kind.TOKEN if lone_token else Kind.USER)
        yield from _groups(match, (2,), Kind.PASSWORD)
    for match in _DSN.finditer(raw):
        yield from _groups(match, (1,), Kind.USER)
        yield from _groups(match, (2,), Kind.PASSWORD)


def find_spoken(raw: bytes) -> Iterator[Span]:
    """Find secrets in a sentence: `password is "hunter2"`, `using token 9fK2…`."""
    for match in _SPOKEN.finditer(raw):
        quoted = match.start(1) >= 0
        value = match.group(1) if quoted else match.group(2).rstrip(b".:)]")
        secret = (quoted and value.lower() not in _PROSE) or (_is_opaque(value) and not value.isdigit() and b"=" not in value[:-2])
        if secret and not _TEMPLATE.fullmatch(value):
            start = match.start(1 if quoted else 2)
            yield Span(start, start + len(value), Kind.PASSWORD if b"pass" in match.group().lower() else Kind.TOKEN)


def base64_runs(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the runs of a text that are base64 of readable text, with that text."""
    for match in _BASE64_RUN.finditer(raw):
        start = match.start()
        for piece in (match.group(), *_pieces(match.group())):
            decoded = decode_base64(piece)
            if decoded is not None:
                at = raw.find(piece, start)
                yield at, at + len(piece), decoded
                break


def _pieces(run: bytes) -> list[bytes]:
    """A path may be glued to the encoded value by slashes, which base64 uses too."""
    return [piece for piece in run.split(b"/") if len(piece) >= 12] if b"/" in run else []  # noqa: PLR2004


def decode_base64(run: bytes) -> bytes | None:
    """Return the readable ASCII text that a run encodes, None if it encodes none."""
    plain = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if not _is_readable(plain[:16]):
        return None
    plain = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
    try:
        decoded = base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except binascii.Error:
        return None
    return decoded if _all_readable(decoded) else None


def _is_readable(start: bytes) -> bool:
    start = start[: len(start) // 4 * 4]
    try:
        return len(start) > 0 and _all_readable(binascii.a2b_base64(start))
    except binascii.Error:
        return False


def _all_readable(decoded: bytes) -> bool:
    return not decoded.translate(None, b"\t\n\r" + bytes(range(0x20, 0x7F)))


def _groups(match: Match, groups: tuple[int, ...], kind: Kind) -> Iterator[Span]:
    for group in groups:
        if match.end(group) > match.start(group) >= 0:
            yield Span(match.start(group), match.end(group), kind)


def _is_opaque(value: bytes) -> bool:
    """Tell whether a value looks made by a machine: long or with digits, and varied."""
    if len(value) < _OPAQUE_MIN or _ADDRESS.fullmatch(value) or not _OPAQUE_SHAPE.fullmatch(value):
        return False
    if value.startswith(b"/") or b"://" in value:
        return False
    digits = any(0x30 <= byte <= 0x39 for byte in value)
    long = len(value) >= _OPAQUE_LONG and not value.islower()
    return (digits or long) and _entropy(value) >= min(_OPAQUE_BITS_PER_CHARACTER, math.log2(len(value)) - 1)


def _is_mixed(value: bytes) -> bool:
    """Tell whether a value mixes both cases and digits in the even way of random base64."""
    kinds = (value.upper() != value, value.lower() != value, any(0x30 <= byte <= 0x39 for byte in value))
    return all(kinds) and _entropy(value) >= 4.0  # noqa: PLR2004 - hexadecimal text cannot exceed 4 bits


def _entropy(value: bytes) -> float:
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


RULES = (
    Rule(
        rb"A3T|A(?:KIA|SIA|BIA|CCA|ROA|IDA)|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-|GR1348941|"
        rb"xox|xapp-|(?:sk|rk|pk)_(?:live|test|prod)_|whsec_|AIza|ya29\.|GOCSPX-|1//0|sk-|eyJ|npm_|pypi-|rubygems_|dckr_|SG\.|"
        rb"(?:AC|SK)[0-9a-f]{8}|key-[0-9a-f]{8}|[0-9a-f]{8}-us[0-9]|hf_|api_org_|do[oprt]_v1_|dapi[a-f0-9]|shp[acps][ats]_|"
        rb"[0-9]:AA|AT(?:ATT|CTT|BB)|hv[sbr]\.|dp\.[psca]|lin_(?:api|oauth)_|ntn_|gl(?:sa|c)_|NR[AJI]|NRRA|sntry|pscale_|PMAK-|"
        rb"pul-|AGE-SECRET|sq0|EAA|figd_|HRKU-|sbp_|pat[A-Za-z0-9]{14}\.|\.atlasv1\.|CLOJARS_|LTAI|AKID|tvly-|gsk_|xai-|pplx-|"
        rb"r8_|co_api_|fl[y]?o1_|FlyV1|phc_|tskey-|v1\.0-|ops_eyJ|[0-9]Q~",
        find_provider_token,
    ),
    Rule(rb"(?i)hooks\.slack\.com|/webhooks?", find_webhook),
    Rule(rb"PRIVATE KEY", find_private_key),
    Rule(rb"[A-Za-z0-9+/]{60}", find_key_body),
    Rule(
        rb"(?i)(?:passw|pwd|pass|secret|token|key|auth|credential|cookie|sess(?:ion)?[_.-]?id|csrf|xsrf|jwt|bearer|otp|cvv|cvc|sid|"
        rb"sig)[\w-]*\\*[\"']?\]?[ \t]*[=:]",
        find_field,
    ),
    Rule(rb"(?i)-[a-z-]*(?:passw|passphrase|secret|token|key|auth)[a-z-]*[ \t]|-u |--(?:proxy-)?user[ =]", find_flag),
    Rule(rb"(?i)(?:passw(?:or)?d|pwd|secret|token|key|credential)[a-z:_.-]*>", find_element),
    Rule(rb"(?i)authorization|bearer|basic|negotiate|cookie", find_header),
    Rule(rb"@", find_userinfo),
    Rule(rb"(?i)(?:passw|passphrase|passcode|secret|token|[ _-]?key|credentials?)[a-z]*[ \t]", find_spoken),
)
