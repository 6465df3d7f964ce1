"""Finds user names in the places where systems usually print them."""

from collections.abc import Iterator

from chassis.redaction.keys import kind_of_field
from chassis.redaction.matching import TOKEN_MASK, Kind, Pattern, Rule, Span, pattern

_NAME = rb"[^\s\"'`,;:()<>\[\]{}|=/]+"

_SSHD = pattern(
    rb"(?:Failed|Accepted|Postponed|Partial) [a-z0-9/@.-]+ for (?:(?:invalid"
    rb"|illegal) user )?([^\n]{0,128}?) from [^ ]+ port"
    rb"|(?:[Ii]nvalid|[Ii]llegal|[Uu]nknown|authenticating) user ([^\n]{0,128}?)(?: from | by | \[preauth\]"
    rb"| [^ ]+ port |\s*$)"
    rb"|(?:Disconnected from|Connection (?:closed|reset) by) user ([^\n]{0,128}?) [^ ]+ port"
    rb"|[Aa]uthentication (?:failures|attempts exceeded) for (?:(?:invalid|illegal) user )?([^\s]+)"
    rb"|\bUser ([^\s]+) (?:from [^ ]+ )?not allowed"
    rb"|Starting session: [^\n]{0,64}? for ([^\s]+) from"
    rb"|(?:shadow information|PAM: [^\n]{0,64}?|[Ll]ogin attempt) for (?:(?:invalid|illegal) user )?([^\s]+)"
    rb"|session (?:opened|closed) for(?: local)? user ([^\s(]+)|\bby ([^\s(]+)\(uid="
)
_UNIX = pattern(
    rb"\bsudo(?:\[[0-9]+\])?:\s+([^\s]+) : "
    rb"|\bsu for ([^\s]+) by ([^\s]+)"
    rb"|\bsu(?:\[[0-9]+\])?: (?:\(to ([^)]+)\) ([^\s]+) on|[+-] [^\s]+ ([^\s:]+)[:-]([^\s]+))"
    rb"|\(([A-Za-z0-9_.$\xe9-]+)\) (?:CMD|RELOAD|LIST|REPLACE|BEGIN EDIT|END EDIT|MAIL|WRONG|ORPHAN|INFO|DELETE"
    rb"|CMDOUT|CMDEND)\b"
    rb"|new (?:user|group): name=([^,\s]+)"
    rb"|(?:delete|add|change|remove|lock|unlock)d? (?:user |shadow group |group )?'([^']+)'"
    rb"|password (?:changed|updated) (?:for|by) ([^\s]+)"
    rb"|LOGIN ON [^\s]+ BY ([^\s]+)|FAILED LOGIN [^\n]{0,80}? FOR ([^\s,]+)"
    rb"|\[([A-Za-z0-9_.@\xe9-]+)\] (?:OK|FAIL) (?:LOGIN|UPLOAD|DOWNLOAD|DELETE|MKDIR|RMDIR|RENAME|CHMOD)"
    rb"|\bUSER ([^\s:]+)(?:: | \()"
)
_NAMED = pattern(
    rb"(?i)\b(?:user|role|username|login)(?: name)? (?:\"([^\"]+)\"|'([^']+)'|`([^`]+)`)"
    rb"|\b(?:log(?:ged|ging)?|sign(?:ed|ing)?)[ -]?(?:in|on)? as (?:user )?[\"']?(" + _NAME + rb")"
    rb"|\bauthenticated as (?:user )?[\"']?(" + _NAME + rb")"
    rb"|\b(?:login|log-?on|sign-?in|authentication) (?:failed|succeeded|successful|success|denied|incorrect|failure"
    rb"|attempt)"
    rb" (?:for|by|from|of) (?:the )?(?:user |account )?[\"']?(" + _NAME + rb")"
)
_MENTIONED = pattern(
    rb"\b[Uu]ser(?:name)? ([A-Za-z\xe9][^\s\"'`,;:()<>\[\]{}|=]*):? "
    rb"(?:(?:has |was |is |successfully |just )*(?:not |does not |doesn't |did not )?(?:logged|log|signed|sign|login"
    rb"|logged-in|logout|connected|"
    rb"disconnected|authenticated|authentication|authenticating|found|exist|exists|created|deleted|locked|unlocked"
    rb"|registered|"
    rb"joined|left|requested|uploaded|downloaded|exceeded|blocked|banned|attempted|tried|executed|entered|changed"
    rb"|denied|"
    rb"authorized|unauthorized|accessed|modified|submitted|started|opened|closed|failed|added|removed|updated)\b"
    rb"|from [0-9a-f])"
    rb"|\b(?:for|by|of|as|from) (?:the )?user ([A-Za-z\xe9][^\s\"'`,;:()<>\[\]{}|=]*)"
)
_FIELD = pattern(
    rb"(?i)([\w.-]*(?:user(?:[ _-]?name|[_-]?id)?|usr|login(?:[_-]?name)?|logname|acct|account[ _]name|screen[_-]name))"
    rb"(\\*[\"']?\]?(?:[ \t]{0,8}(?:=>|:=|:)[ \t]{0,8}|[ \t]{1,8}=[ \t]{1,8}|=))"
    rb"(?:\\*\"((?:[^\"\\\x1a]|\\[^\"])*)|\\*'([^'\x1a]*)|<?([^\s\"'`,;:&()<>\[\]{}|=@/\x1a]+))"
)
_ACCESS_LOG = pattern(rb"(?:^|[\s\"'])[^\s]+ [^\s]+ ([^\s-][^\s]*|-[^\s]+) \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:")
_HOME = pattern(
    rb"/(?:home|Users|export/home)/([^/\s\"'`:;,<>|()\[\]{}=&?#*\\\x1a]+)"
    rb"|(?i:\\(?:Users|Documents and Settings)\\{1,2})([^\\/:*?\"<>|\r\n\x1a]{1,40})\\"
    rb"|(?i:\\(?:Users|Documents and Settings)\\{1,2})([^\\/:*?\"'<>|\s;,)\x1a]+)"
)
_REQUEST = pattern(rb"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \z|[\w\xe9)]\z|HTTP/[0-9.]+ \z")
_DIRECTORY = pattern(rb"(?i)\b(?:uid|cn|samaccountname)=([^,=\"'\s\x1a][^,=\"'\x1a]*), ?(?:ou|cn|dc|o)=")
_REMOTE = pattern(rb"(?:^|[^0-9A-Za-z_.+-])([A-Za-z_][0-9A-Za-z_.-]{0,31})@(?:[0-9]{1,3}\.){3}[0-9]")

_NOBODY = frozenset(
    b"- unknown null none nil undefined anonymous true false t f yes no on off nobody's agent agents space mode "
    b"input output "
    b"interface session sessions data request requests response process thread account accounts authentication "
    b"authorization "
    b"login logins logon logout registration password passwords profile profiles service services name names group "
    b"groups role "
    b"roles permission permissions credential credentials token tokens creation defined id ids index limit limits "
    b"quota code "
    b"record records table list lists info information type level error errors not is was has the a an and or in on "
    b"for from by "
    b"with to of at who that this does did will can cannot could should must may already successfully failed success "
    b"default "
    b"all any each every other another new current same specified given invalid valid preferences settings config "
    b"configuration "
    b"time context manager program programs application applications action actions activity event events experience "
    b"feedback "
    b"facing friendly provided supplied specific level-triggered directory directories home database cache request. "
    b"requested "
    b"(null) [unknown] guest-access being no-such-user public shared runner-home daemon-reload".split()
)
_SHARED_HOMES = frozenset({b"public", b"shared", b"default", b"all users", b"default user", b"lost+found"})
_ONLY_NUMBER = pattern(
    rb"[-+]?[0-9][0-9.,:%]*|0x[0-9A-Fa-f]+|[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|S-1-[0-9-]+|[^0-9A-Za-z\xe9]+"
)


def _find_names(raw: bytes, form: Pattern, *, certain: bool = False) -> Iterator[Span]:
    for match in form.finditer(raw):
        for group in range(1, form.groups + 1):
            if match.start(group) >= 0:
                yield from _names(raw, match.start(group), match.end(group), certain=certain)


def _names(raw: bytes, start: int, end: int, *, certain: bool = False) -> Iterator[Span]:
    """Yield what is left of a name besides replacements; unless certain, not words and numbers that are no names."""
    for piece in raw[start:end].split(TOKEN_MASK):
        name = piece.strip() if certain else piece.rstrip(b".,:;!?").strip()
        if name and (certain or (name.lower() not in _NOBODY and not _ONLY_NUMBER.fullmatch(name))):
            at = start + piece.find(name)
            yield Span(at, at + len(name), Kind.USER)
        start += len(piece) + 1


def find_sshd(raw: bytes) -> Iterator[Span]:
    """Find the names that sshd and PAM print."""
    yield from _find_names(raw, _SSHD, certain=True)


def find_unix(raw: bytes) -> Iterator[Span]:
    """Find the names that sudo, su, cron, login, ftp servers and account tools print."""
    yield from _find_names(raw, _UNIX)


def find_named(raw: bytes) -> Iterator[Span]:
    """Find names that a sentence gives: `for user "x"`, `logged in as x`, `User x not found`."""
    yield from _find_names(raw, _NAMED)
    yield from _find_names(raw, _MENTIONED)


def find_user_field(raw: bytes) -> Iterator[Span]:
    """Find the value of a field with a user's name: `user=x`, `"username": "x"`, `Account Name: x`."""
    for match in _FIELD.finditer(raw):
        if kind_of_field(raw, match) is not Kind.USER:
            continue
        for group in (3, 4):
            if match.start(group) >= 0:
                yield from _names(raw, match.start(group), match.end(group))
        spoken = b":" in match[2] and match[1].lower().endswith(b"login")
        if match.start(5) >= 0 and not spoken:
            yield from _names(raw, match.start(5), match.end(5))


def find_access_log_user(raw: bytes) -> Iterator[Span]:
    """Find the remote user column of web server access logs."""
    yield from _find_names(raw, _ACCESS_LOG)


def find_home(raw: bytes) -> Iterator[Span]:
    """Find the owner of a home directory in a path; a web route called /home is not one."""
    for match in _HOME.finditer(raw):
        group = next(group for group in (1, 2, 3) if match.start(group) >= 0)
        if group == 1 and _REQUEST.search(raw[max(0, match.start() - 10) : match.start()]):
            continue
        if match[group].lower() not in _SHARED_HOMES:
            yield from _names(raw, match.start(group), match.end(group))


def find_directory_entry(raw: bytes) -> Iterator[Span]:
    """Find the person in an LDAP distinguished name."""
    yield from _find_names(raw, _DIRECTORY)


def find_remote_login(raw: bytes) -> Iterator[Span]:
    """Find the account in `name@address`."""
    yield from _find_names(raw, _REMOTE)


RULES = (
    Rule(rb" for |user |User |by [^ ]*\(uid=", find_sshd),
    Rule(
        rb"sudo|su for |\bsu(?:\[[0-9]+\])?: |\) [A-Z]|new (?:user|group): |(?:delete|add|change|lock|remove)d? "
        rb"|password (?:changed|"
        rb"updated) |LOGIN|\] (?:OK|FAIL) |USER ",
        find_unix,
    ),
    Rule(
        rb"(?i)user |role |login |username |(?:in|on|log|sign|authenticated) as |log-?on |sign-?in |authentication ",
        find_named,
    ),
    Rule(
        rb"(?i)(?:user(?:[ _-]?name|[_-]?id)?|usr|login(?:[_-]?name)?|logname|acct|[ _]name"
        rb"|[_-]name)\\*[\"']?\]?[ \t]*[=:]",
        find_user_field,
    ),
    Rule(rb" \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:", find_access_log_user),
    Rule(rb"/(?:home|Users)/|(?i:\\(?:Users|Documents and Settings)\\)", find_home),
    Rule(rb"(?i)(?:uid|cn|samaccountname)=[^,]+, ?(?:ou|cn|dc|o)=", find_directory_entry),
    Rule(rb"@[0-9]{1,3}\.", find_remote_login),
)
