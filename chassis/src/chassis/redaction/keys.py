"""Tells from the name of a field whether its value is secret, or names a person."""

import re

from chassis.redaction.matching import Kind, Match

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PASSWORD_STEMS = ("passw", "passwd", "pwd", "passphrase", "passcode")
_TOKEN_STEMS = (
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authkey",
    "signingkey",
    "signaturekey",
    "encryptionkey",
    "accountkey",
    "sharedkey",
    "masterkey",
    "licensekey",
    "sshkey",
    "authorization",
    "credential",
    "cookie",
    "sessionid",
    "sessionkey",
    "sessid",
    "csrf",
    "xsrf",
)
_SECRET_WORDS = frozenset({"jwt", "bearer", "auth", "otp", "cvv", "cvc", "cvv2", "sid", "sas", "sig", "signature"})
_HARMLESS_TAILS = frozenset(
    {
        *(
            "type",
            "types",
            "count",
            "counts",
            "limit",
            "usage",
            "used",
            "length",
            "len",
            "size",
            "name",
            "names",
            "age",
        ),
        *(
            "expiry",
            "expires",
            "expired",
            "expiration",
            "ttl",
            "lifetime",
            "policy",
            "path",
            "file",
            "dir",
            "url",
            "uri",
        ),
        *("endpoint", "host", "status", "state", "version", "kind", "index", "position", "tokens", "budget", "method"),
        *("enabled", "required", "valid", "created", "updated", "changed", "rotated", "at", "time", "times", "timeout"),
        *("algorithm", "alg", "provider", "mode", "scheme", "attempts", "failures", "errors", "error", "mount", "ref"),
        *("issuer", "audience", "scope", "scopes", "ms", "seconds", "per", "total", "rate", "min", "max", "manager"),
    }
)
_USER_TAILS = frozenset({"user", "username", "usr", "logname", "ruser", "luser", "login", "acct", "userid"})
_USER_PAIRS = frozenset({("user", "name"), ("account", "name"), ("login", "name"), ("screen", "name"), ("user", "id")})


def kind_of_key(key: str) -> Kind | None:
    """Return PASSWORD, TOKEN or USER for a field whose whole value must go, None for any other field.

    Case and style do not matter: `X-Api-Key`, `apiKey`, `API_KEY` and `api key` are one name. A field about a secret is
    not a secret: `token_count`, `password_changed_at`, `secretName`.
    """
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words or words[-1] in _HARMLESS_TAILS:
        return _user_kind(words)
    joined = "".join(words)
    if any(stem in joined for stem in _PASSWORD_STEMS) or words[-1] == "pass":
        return Kind.PASSWORD
    if "tokens" in words or "tokeniz" in joined or "secretar" in joined:
        return None
    if any(stem in joined for stem in _TOKEN_STEMS) or words[-1] in _SECRET_WORDS:
        return Kind.TOKEN
    return _user_kind(words)


def kind_of_field(raw: bytes, match: Match) -> Kind | None:
    r"""Return the kind of the field named by the first group of a match, also after an escaped line end: `\nuser=x`."""
    name = match[1].decode("latin-1")
    escaped = raw[max(0, match.start(1) - 1) : match.start(1)] == b"\\" and name[:1] in ("n", "r", "t")
    return kind_of_key(name[1:] if escaped else name)


def _user_kind(words: list[str]) -> Kind | None:
    if words and (words[-1] in _USER_TAILS or tuple(words[-2:]) in _USER_PAIRS):
        return Kind.USER
    return None
