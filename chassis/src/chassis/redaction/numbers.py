"""Finds numbers that belong to a person: payment cards, IBANs, US social security numbers, telephone numbers.

Logs are full of long numbers, so a checksum alone is not enough: cards need a known issuer, length and grouping, IBANs
their country's length, telephone numbers a telephone's shape or a word that announces one.
"""

from collections.abc import Iterator

from chassis.redaction.matching import Kind, Match, Rule, Span, is_digit, is_word, pattern

_DIGIT_RUN = pattern(rb"[0-9](?:[ -]?[0-9]){11,}")
_CARD_WORDS = pattern(
    rb"(?i)\b(?:credit|debit|bank|gift)?[ _-]?cards?(?:[ _-]?(?:number|no|num|#))?\b|\bcc\b|\b(?:credit|debit|visa"
    rb"|maestro|"
    rb"mastercard|amex|diners|discover|jcb|unionpay)\b|\bpan\b|cardnumber|card_?num|_card\b|card_"
)
_OTHER_ID = pattern(
    rb"(?i)(?:id|uid|pid|tid|txn|seq|offset|time|timestamp|ts|epoch|size|bytes|block|blk|addr|address|ptr|thread"
    rb"|session|"
    rb"trace|span|nonce|hash|version|serial|count|number|counter|position|length|index|key|handle|xid|zxid|checksum)"
    rb"[\"']?[ :=#(\[]{1,3}[\"']?\z"
)
_CARD_SHAPES = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (4, 5, 4), (6, 13)})
_CARD_ISSUERS = (
    # first digits from, to (inclusive), lengths, strict: unmistakable enough without a word that says "card"
    ("4", "4", frozenset({16}), True),
    ("4", "4", frozenset({13, 19}), False),
    ("51", "55", frozenset({16}), True),
    ("2221", "2720", frozenset({16}), True),
    ("34", "34", frozenset({15}), True),
    ("37", "37", frozenset({15}), True),
    ("6011", "6011", frozenset({16}), True),
    ("6011", "6011", frozenset({17, 18, 19}), False),
    ("644", "659", frozenset({16}), True),
    ("3528", "3589", frozenset({16}), True),
    ("2131", "2131", frozenset({15}), False),
    ("1800", "1800", frozenset({15}), False),
    ("300", "305", frozenset({14, 16}), False),
    ("3095", "3095", frozenset({14, 16}), False),
    ("36", "36", frozenset({14, 15, 16, 17, 18, 19}), False),
    ("38", "39", frozenset({14, 16}), False),
    ("62", "62", frozenset({16, 17, 18, 19}), False),
    ("2200", "2204", frozenset({16, 17, 18, 19}), False),
    ("508", "508", frozenset({16}), False),
    ("81", "82", frozenset({16}), False),
    ("50", "50", frozenset(range(12, 20)), False),
    ("56", "58", frozenset(range(12, 20)), False),
    ("6", "6", frozenset(range(12, 20)), False),
)
_CARD_MIN, _CARD_MAX = 12, 19
_CONTEXT_REACH = 48

_IBAN = pattern(rb"(?i)\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}")
_IBAN_WORDS = pattern(rb"(?i)iban|account|acct|bank|transfer|sepa|\bbic\b")
_IBAN_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
    "YE30"
)
"""Country and length of the whole number, as the SWIFT registry lists them."""

_SSN = pattern(rb"\b([0-9]{3})-([0-9]{2})-([0-9]{4})\b")
_SSN_SAID = pattern(
    rb"(?i)(?:\bssn|social[ _-]?security|\btax[ _-]?(?:payer)?[ _-]?id"
    rb"|\bitin)[^0-9\n]{0,32}([0-9]{3})[- ]?([0-9]{2})[- ]?([0-9]{4})\b"
)
_NO_SUCH_AREA = frozenset({b"000", b"666"})

_PHONE_END = rb"(?: ?(?:x|ext\.?|extension) ?[0-9]{1,6})?"
_PHONE_INTERNATIONAL = pattern(rb"(?:\+|\b00)[1-9](?:[ .-]?(?:\(0\)|\([0-9]{1,4}\)|[0-9])){6,15}" + _PHONE_END)
_PHONE_NORTH_AMERICA = pattern(
    rb"(?:(?:\+|00)?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[0-9]{3}[.-][0-9]{4}(?: ?(?:x"
    rb"|ext\.? ?)[0-9]{1,6})?"
)
_PHONE_TRUNK = pattern(rb"\b0[1-9][0-9]{0,3}(?: [0-9]{2,4}){2,4}\b|\b0[1-9](?:\.[0-9]{2}){4}\b")
_PHONE_AREA = pattern(rb"\([0-9]{2,4}\) ?[0-9]{3,4}[ -][0-9]{3,4}\b")
_PHONE_LOOSE = rb"([+(]?[0-9](?:[ .()/-]{0,3}[0-9]){5,14})" + _PHONE_END
_PHONE_SAID = pattern(
    rb"(?i)\b(?:tele?phone|phone|tel|mobile|cell|cellphone|msisdn|fax|landline|hotline|whatsapp|desk|office|"
    rb"(?:call|text|ring|phone|reach|sms)(?:ed|ing)? (?:me|us|him|her|them|someone|back|you)(?: back)?|"
    rb"(?:answer|reach|call|ring|dial)(?:s|ed|ing|able)? (?:on|at)|dial(?:led|ed|ing)?|(?:sms|message|messages|text"
    rb"|texts) to|"
    rb"registered|(?:my|his|her|their|our|your)(?: new| old)? number)(?:[ _-]?(?:number|num|no\.?"
    rb"|nr))?[\"']?[ :=#|>\"',\t\r\n]{1,6}(?:is |on |at |number |to )?" + _PHONE_LOOSE
)
_PHONE_THEN_SAID = pattern(_PHONE_LOOSE + rb"[ -]{1,2}(?i:office|fax|mobile|cell|home|work|desk|tel|phone)\b")
_DATE_INSIDE = pattern(
    rb"(?:19|20)[0-9]{2}[-./ ][01]?[0-9][-./ ][0-3]?[0-9]|[0-3]?[0-9][-./][01]?[0-9][-./](?:19|20)[0-9]{2}"
)
_UUID = pattern(rb"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UUID_LENGTH = 36
_PHONE_DIGITS = range(7, 16)
_TRUNK_DIGITS = range(9, 12)


def find_card(raw: bytes) -> Iterator[Span]:
    """Find payment card numbers by issuer, length, grouping and the Luhn checksum."""
    for match in _DIGIT_RUN.finditer(raw):
        for start, end in _card_candidates(match[0], match.start()):
            digits = raw[start:end].replace(b" ", b"").replace(b"-", b"")
            if not _passes_luhn(digits) or not _stands_alone(raw, start, end):
                continue
            issued = _card_issuer(digits)
            reach = _CONTEXT_REACH // 3 if issued is None else _CONTEXT_REACH
            said = _CARD_WORDS.search(raw, max(0, start - reach), start)
            if said or (issued and not _OTHER_ID.search(raw[max(0, start - 24) : start])):
                yield Span(start, end, Kind.CARD)


def _card_candidates(run: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """Yield each group of a digit run that is long enough, and each row of groups in a card's usual shape."""
    groups: list[tuple[int, int]] = []
    at = 0
    for i in range(len(run) + 1):
        if i == len(run) or run[i : i + 1] in (b" ", b"-"):
            groups.append((at, i))
            at = i + 1
    for first in range(len(groups)):
        if _CARD_MIN <= groups[first][1] - groups[first][0] <= _CARD_MAX:
            yield offset + groups[first][0], offset + groups[first][1]
        for last in range(first + 1, min(first + 5, len(groups))):
            if tuple(e - s for s, e in groups[first : last + 1]) in _CARD_SHAPES:
                yield offset + groups[first][0], offset + groups[last][1]


def _card_issuer(digits: bytes) -> bool | None:
    """Return whether the issuer's range is a strict one, None when no known issuer has such numbers."""
    number = digits.decode("ascii")
    found = None
    for low, high, lengths, strict in _CARD_ISSUERS:
        if len(number) in lengths and low <= number[: len(low)] <= high:
            found = strict or bool(found)
    return found


def _passes_luhn(digits: bytes) -> bool:
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [digit - 48 for digit in reversed(digits)]
    return len(set(values)) > 1 and (sum(values[::2]) + sum(doubled[value] for value in values[1::2])) % 10 == 0


def _stands_alone(raw: bytes, start: int, end: int) -> bool:
    if is_word(raw, start - 1) or is_word(raw, end):
        return False
    before, after = raw[start - 1 : start], raw[end : end + 1]
    if before in (b"-", b".", b"+", b"/", b"@") and (is_word(raw, start - 2) or before != b"/"):
        return False
    return not (after in (b"-", b".", b"/", b"@") and is_word(raw, end + 1))


def find_iban(raw: bytes) -> Iterator[Span]:
    """Find bank account numbers by their country's length and the ISO 7064 checksum."""
    for match in _IBAN.finditer(raw):
        run = match[0]
        compact = run.replace(b" ", b"").upper()
        country = _IBAN_LENGTHS.find(compact[:2].decode("ascii"))
        length = int(_IBAN_LENGTHS[country + 2 : country + 4]) if country >= 0 else 0
        if not 0 < length <= len(compact):
            continue
        end = match.start()
        for _ in range(length):
            end += 1 if raw[end : end + 1] != b" " else 2
        if is_word(raw, end) or not _passes_iso7064(compact[:length]):
            continue
        if run[:2].isupper() or _IBAN_WORDS.search(raw, max(0, match.start() - _CONTEXT_REACH), match.start()):
            yield Span(match.start(), end, Kind.IBAN)


def _passes_iso7064(iban: bytes) -> bool:
    turned = (iban[4:] + iban[:4]).decode("ascii")
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def find_ssn(raw: bytes) -> Iterator[Span]:
    """Find US social security numbers: written with hyphens, or announced as one."""
    for match in _SSN.finditer(raw):
        if (
            raw[match.start() - 1 : match.start()] not in (b"-", b".", b"/")
            and raw[match.end() : match.end() + 1] != b"-"
        ):
            yield from _ssn(match, announced=False)
    for match in _SSN_SAID.finditer(raw):
        yield from _ssn(match, announced=True)


def _ssn(match: Match, *, announced: bool) -> Iterator[Span]:
    area, group, serial = match[1], match[2], match[3]
    real = area not in _NO_SUCH_AREA and group != b"00" and serial != b"0000"
    if real and (announced or area < b"900"):
        yield Span(match.start(1), match.end(3), Kind.SSN)


def find_phone(raw: bytes) -> Iterator[Span]:
    """Find telephone numbers by an unmistakable shape, or by a word that announces one."""
    for shape in (_PHONE_INTERNATIONAL, _PHONE_NORTH_AMERICA, _PHONE_AREA):
        for match in shape.finditer(raw):
            if _is_phone(raw, match.start(), match.end(), match[0]):
                yield Span(match.start(), match.end(), Kind.PHONE)
    for match in _PHONE_TRUNK.finditer(raw):
        digits = sum(is_digit(raw, i) for i in range(match.start(), match.end()))
        if digits in _TRUNK_DIGITS and _is_phone(raw, match.start(), match.end(), match[0]):
            dotted = match[0].split(b".")
            if len(dotted) == 1 or any(int(part) > 59 for part in dotted):  # noqa: PLR2004 - else it may be a clock
                yield Span(match.start(), match.end(), Kind.PHONE)


def find_announced_phone(raw: bytes) -> Iterator[Span]:
    """Find telephone numbers of any national shape next to a word that says what they are."""
    for match in _PHONE_SAID.finditer(raw):
        if _is_phone(raw, match.start(1), match.end(), match[1]):
            yield Span(match.start(1), match.end(), Kind.PHONE)
    for match in _PHONE_THEN_SAID.finditer(raw):
        if _is_phone(raw, match.start(1), match.end(1), match[1]):
            yield Span(match.start(1), match.end(1), Kind.PHONE)


def _is_phone(raw: bytes, start: int, end: int, text: bytes) -> bool:
    if is_word(raw, start - 1) or is_word(raw, end):
        return False
    if raw[start - 1 : start] in (b".", b"-", b":", b"/") and is_word(raw, start - 2) and is_digit(raw, start - 2):
        return False
    if raw[end : end + 1] in (b".", b":", b"-", b"/") and is_digit(raw, end + 1):
        return False
    number = text.lower().split(b"x")[0].split(b"e")[0]
    digits = sum(is_digit(number, i) for i in range(len(number)))
    return digits in _PHONE_DIGITS and not _DATE_INSIDE.search(number) and not _is_in_uuid(raw, start, end)


def _is_in_uuid(raw: bytes, start: int, end: int) -> bool:
    """Whether the number is a part of a UUID, whose groups are now and then of decimal digits alone."""
    offset = max(0, start - _UUID_LENGTH)
    around = _UUID.finditer(raw[offset : end + _UUID_LENGTH])
    return any(offset + match.start() < end and start < offset + match.end() for match in around)


RULES = (
    Rule(
        rb"[0-9]{12}|[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}|[0-9]{4}[ -][0-9]{6}[ -][0-9]|[0-9]{4} [0-9]{4} [0-9]{5}"
        rb"|[0-9]{4}[ -][0-9]{5}",
        find_card,
    ),
    Rule(rb"(?i)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){4} ?[0-9]{3}", find_iban),
    Rule(rb"[0-9]{3}-[0-9]{2}-[0-9]{4}|(?i:ssn|social[ _-]?security|tax|itin)", find_ssn),
    Rule(
        rb"\+[1-9]|\b00[1-9]|[2-9][0-9]{2}[.)-] ?[0-9]{3}[.-][0-9]{4}|\([0-9]{2,4}\) ?[0-9]{3}|"
        rb"\b0[1-9][0-9]{0,3}(?: [0-9]{2,4}){2}|\b0[1-9](?:\.[0-9]{2}){4}",
        find_phone,
    ),
    Rule(
        rb"(?i)(?:phone|tel|mobile|cell|msisdn|fax|landline|hotline|whatsapp|desk|office|home|work|call|text|ring"
        rb"|reach|sms|answer|"
        rb"dial|message|registered|number)",
        find_announced_phone,
    ),
)
