"""What a description says in free words: the section it belongs to, or why it is left out.

Rules of English usage alone, asked in order; the first that fits decides. Names in `code` never count as words.
"""

import re

from changelog_service.commits.kinds import Kind
from changelog_service.commits.model import ExclusionReason, Section

_CODE = re.compile(r"`[^`]*`")
_NAME_STANDS_FOR_CODE = "qq"
_WORDS_AT_MOST = 400
"""Characters that are looked at; what stands later in a line does not decide what it is about."""

_VERSION = r"v?[0-9]+(?:\.[0-9]+){1,3}[a-z0-9.+-]{0,20}"
_CLAUSE = r"(?: (?:after|and|for|from|in|of|to|via|with|by|at|on|when|before)\b.*|[ ,.:;(].{0,3})?$"
_VERBS = (
    r"(?:re-)?(?:adapt|add|allow|attempt to fix|bump|change|clean(?: |-)?up|clean|configure|convert|correct|cover"
    r"|delete|disable|drop|enable|enhance|expand|extend|fix|ignore|improve|introduce|limit|make|mark|merge|migrate"
    r"|move|pin|reduce|refactor|reformat|reinstate|remove|rename|repair|replace|resolve|restore|rewrite|run|set ?up"
    r"|silence|simplify|skip|speed up|split|stop|switch|test|try to fix|tweak|unify|unpin|update|upgrade|use)"
    r"(?:s|es|d|ed|ped|ing)?"
)
_TOOLS = (
    r"(?:ci(?:/cd)?|github (?:actions|workflows?)|gha|workflows?|travis|appveyor|circle ?ci|cirrus(?:\.ci)?"
    r"|azure pipelines?|jenkins\w*|gitlab[ -]ci|dependabot|renovate|pre-commit|codecov|coverage|coveralls|tox|nox|mypy"
    r"|pyright|flake8\S*|ruff|pylint|isort|bandit|codespell|clippy|rustfmt|eslint|prettier|stylelint|husky|golangci\S*"
    r"|gofmt|checkstyle|spotless|spotbugs|sonar\w*|rubocop|phpstan|psalm|phpunit|linters?|linting|lint|makefile"
    r"|justfile|editorconfig|\.?git ?ignore|\.?gitattributes|codeowners|devcontainers?|issue templates?|pr template"
    r"|pull request template|stale bot|test runners?|benchmarks?|type ?checkers?|cibuildwheel|build deps)"
)
_FOR_USERS = (
    r"(?!.*\b(?:support|plugin|integration|compatib\w+|options?|settings?|flags?|false (?:positive|negative)s?)\b)"
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_MEANINGLESS = _any(
    r"[\W_]*$",
    r"(?:wip|tmp|temp|misc|miscellaneous|stuff|things?|work|updates?|updated|changes?|changed|fix|fixes|fixed|bugfix"
    r"|minor|small|more|some|save|saving|commit|test|testing|asdf\w*|foo|bar|oops|up|push|progress|checkpoint|backup"
    r"|initial|first|final|done|cleanup|improvements?|tweaks?)(?: (?:changes?|fixes|updates?|commits?|tweaks?|stuff|fix"
    r"|improvements?|things))?[.! ]*$|fix-?up[.! ]*$|add files via upload$",
    r"(?:\[?wip\]?\b|work in progress\b|do not merge\b|empty commit\b)",
    r"(?:apply|address|incorporate|implement|review|pr|code review) (?:[\w-]+ ){0,4}"
    r"(?:review|feedback|suggestions?|comments?)\b|(?:code |pr )?review (?:fixes|changes|comments|feedback)",
)
_RELEASE = _any(
    rf"(?:releas(?:e|ed|ing)|version|prepare|preparing|publish|tag|cut)\b(?: \w+){{0,4}} {_VERSION}\b",
    rf"(?:{_VERSION})[.! ]*$",
    rf"{_VERSION} release\b",
    r"(?:prepare|preparing|prep|post|minor|cut|make|draft|finali[sz]e|start|begin)[ -](?:\w+ ){0,3}"
    r"(?:release|changelog|development)\b",
    rf"(?:bump|update|set|increase|increment|raise)(?:s|ed|ped)? (?:\w+ ){{0,3}}version(?: numbers?| strings?)?"
    rf"(?: (?:to|from|for|after|in|\()\b.*)?(?: {_VERSION})?$",
    rf"bump(?:ed|s)? (?:to )?{_VERSION}$",
    r"version bump\b|back to (?:dev|development|snapshot)\b|\[maven-release-plugin\]|bump snapshot",
    r"(?:\w+ ){0,3}(?:new |next |update |updated |merge |add )(?:\w+ ){0,3}"
    r"(?:change ?logs?|changes?(?:\.md)?|release notes?|news)(?: (?:for|from|template|after|post|entry|entries)\b.*"
    r"|\.md| template)?$",
    r"(?:add |new )*(?:release|change) template|(?:change ?log|release notes?) (?:for|entry|entries|cleanup|update)\b",
)
_DEPENDENCY = _any(
    r"(?:bumps?|bumped|upgrade|updates?) [\w@/.,:+ -]{1,120} from \S{1,40} to \S{1,40}",
    r"update (?:dependency|module|plugin|helm release|github action|docker tag|rust crate|dev dependency) ",
    r"(?:lock ?file maintenance|\[pre-commit|pre-commit autoupdate)\b",
    r"(?:chore )?(?:bump|update|upgrade|pin|unpin|refresh|re-?lock|sync)(?:s|ed|d)? (?:\w+ ){0,3}"
    rf"(?:dependencies|deps|lock ?files?|requirements|submodules?|pinned versions?){_CLAUSE}",
    r"bump the \S+ group\b|(?:re-?lock|cargo update|npm audit fix|poetry lock|go mod tidy)\b",
)
_DOCUMENTATION = _any(
    r"(?:re)?document(?:s|ed|ing)?\b|(?:docs?|documentation|readme|faq|guide|tutorial)\b",
    r"(?:add|improve|fix|update|expand|clarify|correct)\w* (?:\w+ ){0,3}(?:citation|code of conduct|license file)",
    r".*\b(?:docs|documentation|typos?|changelogs?|contributing|faq|mis-?spell\w*|spelling|proofread\w*|wording"
    r"|badges?|javadocs?|godocs?|rustdocs?|mkdocs|docusaurus|code comments?|tutorials?)\b",
    r".*\b(?:in|to|the|of|on|for|from|add|update[sd]?|fix(?:es|ed)?|improve[sd]?|clean ?up) (?:the )?readmes?"
    r"(?: (?:file|badges?|section|examples?|links?|typos?|for|with|to|and|about|on)\b|\.\w+|[,;:.]|$)",
    r"(?:add|fix|update|improve|clarify|correct|expand|missing|more|better)\w* (?:\w+ ){0,3}docstrings?(?: \w+){0,4}$",
    r"(?:fix|improve|correct)\w* (?:\w+ ){0,2}grammar(?: (?:and|in|of)\b.*)?$",
    r".*\b(?:(?:in|the|to|a|user|style) (?:doc|guide)|doc (?:page|string|comment|fix|update|link|example|typo)s?)\b",
    r".*[\w/-]\.(?:md|rst|adoc|mdx)\b",
    r".*\b(?:broken|dead|outdated|wrong|fix|update|correct|install) (?:hyper)?(?:links?|urls?)\b(?!.*\b(?:when|if)\b)",
    r"(?:mention|explain|clarify that|describe|note|clarify (?:the )?(?:use|usage|support|behaviou?r)\b)",
    r"(?:add|added) (?:\w+ ){0,2}(?:note|hint|caution|clarification|entry|section|information|info|example|warning)s? "
    r"(?:about|on|for|to|how|regarding|in|of) (?:\w+ ){0,5}(?:docs|section|guide|page|readme|faq|manual|example)",
)
_INTERNAL = _any(
    r"(?:tests?|testing|ci|ci/cd|build|chore|refactor\w*|cleanups?|clean-?ups?|clean up|tidy\w*|code[ -]tidying|lint\w*"
    r"|re-?format\w*|typing|typecheck\w*|nits?|benchmarks?|code (?:style|clean\w*|formatting|quality)|makefile|minor ci"
    r"|internal|various ci|more ci|rearrange|reorgani[sz]e|moderni[sz]e|restructure|deduplicate|inline|extract)\b",
    r"(?:small|minor|misc\w*|various|some|general|more|final|dead)(?: \S+)? clean-?ups?\b",
    r"(?:new|more|better|additional|extra|some|missing) tests?\b",
    rf"(?:\w+ ){{0,2}}{_VERBS} (?:[\w'.+#-]+ ){{0,5}}tests?(?: |$)(?!collection|runner|discovery|ids?\b|results?\b)",
    rf"{_FOR_USERS}(?:\w+ ){{0,2}}{_VERBS} (?:[\w'.+#/-]+ ){{0,4}}{_TOOLS}(?:\W|$)",
    r".*\b(?:unit|regression|integration|flaky|failing|functional|e2e|end-to-end|smoke|fuzz|acceptance) tests?\b",
    r".*\btest[- ](?:suite|coverage|fixtures?|helpers?|data|cases?|utils?|utilities|failures?|code|infrastructure"
    r"|harness|assertions?|message|names?|modules?|files?|class(?:es)?|dependenc\w+|setup|environment|matrix)\b",
    r".*\b(?:in|for|of|from|to|with|make|making|our|some|more) (?:the |our |all )?tests\b",
    r".*\b(?:each|every|one) test$|.*\btestcases?\b|.*\btest_\w+|.*\bfixtures?$",
    r".*\b(?:on|in|for|via|of) (?:the )?ci\b|.*\bci (?:job|build|run|failure|error|pipeline|config\w*|script|matrix|"
    r"workflow|pins?|tweaks?|hotfix|hotfixes|improvements?|permissions?)s?\b|.*\bin (?:the )?(?:workflows|pipelines)$",
    r".*\b(?:refactor(?:s|ed|ing|ings)?|dead (?:\w+ )?code|code cleanup|boilerplate|magic numbers?|lint(?:s|er|ing)?"
    r"|mypy (?:error|issue|type)s?|type (?:annotations?|ignores?|alias(?:es)?)|typing|annotations for|builtin generics"
    r"|conftest|codespell|(?:issue|pr|pull request|bug report) (?:templates?|forms?)|trusted publish\w*"
    r"|(?:github|gh)[ -]actions?(?: to| ref|'|s\b)|actions?[ /](?:runner|checkout|cache|setup|upload|download)"
    r"|(?:dev|development) (?:environment|dependenc\w+|container|script|version|setup)|nightly builds?"
    r"|(?:build|ci|pr) (?:\w+ ){0,1}matrix|private (?:method|function|field|member|api)s?"
    r"|(?:compiler|sphinx|pytest|lint|test|resource) warnings?)\b",
    r"(?:create|update|delete|rename) [\w./-]+\.(?:ya?ml|toml|cfg|ini|lock|json)$",
    r".*\b(?:release|ci|tests?|build|publish|deploy|lint)\.ya?ml\b|.*(?:^|\s)\.github/",
    rf"{_VERBS} (?:[\w.-]+ ){{0,3}}(?:release|build) (?:script|process|workflow|pipeline|job|infra\w*)s?\b",
    r"fix(?:es|ed)? (?:[\w.-]+ ){0,3}builds?(?: (?:failures?|errors?|again|on|by)\b.*)?$",
    r"(?:add|fix|improve|update|use|more|missing|better)\w* (?:[\w.]+ ){0,3}type (?:hints?|annotations?|errors?|issues?"
    r"|checking)\b",
    r"(?:\w+ ){0,3}unused\b(?! (?:\w+ ){0,3}(?:option|flag|setting|command|endpoint)s?\b)",
    r"(?:remove|drop|delete|use|rename|move|simplify|make|avoid|add|replace|inline|extract|don't|stop using)\w*"
    r" (?:\w+ ){0,3}"
    r"(?:internal|redundant|unnecessary|obsolete|dead|duplicated?|outdated|remnants?|superfluous|unneeded|useless)"
    r" (?:[\w.()]+ ){0,2}(?:code|methods?|functions?|classe?s?|imports?|variables?|parameters?|helpers?|files?|calls?"
    r"|casts?|asserts?|assertions?|checks?|modules?|logic|encode|comments?|ignores?|aliases|noqa|conditions?)\b",
    r"(?:simplify|simplified|simplifies) (?:[\w.]+ ){0,4}(?:code|logic|checks?|treatment|methods?"
    r"|functions?|class(?:es)?|helpers?|internals)\b|remove (?:\w+ ){0,4}(?:helper|todo|noqa)s?\b",
    r"(?:move|split|spread)s? .{1,80}\b(?:to|into) (?:\w+ ){0,2}(?:modules?|files?|class(?:es)?|functions?|package)\b",
    r"(?:fix|correct) (?:a )?(?:mis-?named|variable nam(?:e|ing)|naming|indentation|whitespace|imports?|nits?)\b",
)
_SECURITY = re.compile(
    r".*\b(?:cve-[0-9]+|ghsa-\w+|vulnerab\w+|security (?:fix\w*|issues?|holes?|flaws?|advisor\w+|patch|bugs?|problem)"
    r"|xss|csrf|ssrf|rce|redos|(?:path|directory) traversal|(?:sql|command|code|header|shell|script) injection"
    r"|privilege escalation|timing attack|open redirect|prototype pollution|cross-site)\b"
)
_DEPRECATED = re.compile(
    r"(?:soft-)?deprecat(?:e|es|ed|ing|ion)\b|(?:mark|flag|declare)\w* .{1,80}\bas (?:\w+ )?deprecated\b"
    r"|(?:add|emit|raise|issue)\w* (?:an? )?(?:\w+ ){0,2}deprecation\b"
)
_REMOVED_IN_USE = re.compile(r"(?:remov|delet|drop)\w* (?!support\b).{3,200}\b(?:if|when|while|after|during|unless)\b")
"""`Remove the entry when its file is gone` tells what the program does now, not what it has lost."""
_FIXED = _any(
    r"(?:hot|bug)?fix(?:es|ed|ing|up)?\b|bug\b|hotfix",
    r"(?:correct|correctly|properly|repair|resolve|patch|prevent|avoid|handle|respect|tolerate|restore|preserve"
    r"|recover|guard|catch|swallow|escape|sanitize|work ?around|unbreak|undo|ensure|stop|never|address|consider|ignore"
    r"|fall ?back|harden)(?:s|es|d|ed|ing)?\b|make sure\b|(?:attempt|try)(?:s|ed)? to fix\b",
    r"(?:do ?n[o'\u2019]t|dont|do not|does not|doesn[o'\u2019]t|should not|must not|no longer|not)\b",
    r".*\b(?:fix(?:es|ed|ing)? (?:an?|the|for|bug|crash|issue|regression)\b|regression\b|race condition|deadlock"
    r"|memory leak|crash(?:es|ed|ing)?\b|segfault|off-by-one|infinite (?:loop|recursion))",
)
_REMOVED = re.compile(
    r"(?:remov(?:e|es|ed|ing|al)|delet(?:e|es|ed|ing)|drop(?:s|ped|ping)?|get rid of|kill(?:s|ed)?|eliminate[sd]?"
    r"|discontinue[sd]?|retire[sd]?|purge[sd]?|end(?:s|ed)? support|no more)\b"
)
_ADDED = _any(
    r"(?:re-?)?(?:add|adds|added|adding|addition)\b|(?:(?:re-?)?introduc|implement|support|allow|enabl|creat|provid|expos|offer"
    r"|permit|includ|accept)(?:e|es|ed|s|ing|ation)?\b|new\b|feature\b|initial\b|let\b|option to\b",
    r"(?:show|suggest|propose|warn|print|report|display)(?:s|ed|ing)?\b|make it possible\b",
    r"make (?:\S+ ){1,6}(?:optional|configurable|customi[sz]able|extensible|pluggable)\b",
    rf"(?:--?\w[\w-]*|{_NAME_STANDS_FOR_CODE}) (?:flag|option|argument|command|setting|parameter|endpoint)\b",
    r"(?:(?:full|fully|basic|first|experimental|native|preliminary|partial) ).{0,80}\bsupport\b|.{1,60}\bsupport$",
    r"(?:\w+ ){0,2}(?:introduce|add) (?:an? |the |new |support )",
)

_CHANGED = re.compile(
    r"(?:adjust|change|clarify|convert|enhance|improve|increase|limit|make|migrate|move|optimi[sz]e|prefer|reduce|refine"
    r"|rename|replace|rework|simplify|speed up|switch|tweak|update|upgrade|use)(?:s|d)?\b"
)

_ASKED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (ExclusionReason.MEANINGLESS, _MEANINGLESS),
    (Section.SECURITY, _SECURITY),
    (ExclusionReason.RELEASE, _RELEASE),
    (ExclusionReason.DEPENDENCY, _DEPENDENCY),
    (Section.DEPRECATED, _DEPRECATED),
    (ExclusionReason.DOCUMENTATION, _DOCUMENTATION),
    (ExclusionReason.INTERNAL, _INTERNAL),
    (Section.FIXED, _REMOVED_IN_USE),
    (Section.FIXED, _FIXED),
    (Section.REMOVED, _REMOVED),
    (Section.ADDED, _ADDED),
)


def classify(text: str) -> Kind:
    """The section of a description in free words, or why it is left out; what says nothing else is a change."""
    words = _plain(text)
    return next((kind for kind, pattern in _ASKED if pattern.match(words)), Section.CHANGED)


def section_of(text: str) -> Section:
    """The section of a description that certainly belongs into the notes."""
    words = _plain(text)
    asked = ((kind, pattern) for kind, pattern in _ASKED if isinstance(kind, Section))
    return next((kind for kind, pattern in asked if pattern.match(words)), Section.CHANGED)


def section_of_feature(text: str) -> Section:
    """The section of what its author calls a feature: not each is a new one."""
    words = _plain(text)
    asked = ((Section.DEPRECATED, _DEPRECATED), (Section.REMOVED, _REMOVED), (Section.CHANGED, _CHANGED))
    return next((section for section, pattern in asked if pattern.match(words)), Section.ADDED)


def is_security(text: str) -> bool:
    """True for a description that speaks of a vulnerability."""
    return _SECURITY.match(_plain(text)) is not None


def is_dependency(text: str) -> bool:
    """True for a description that raises a dependency and says no more."""
    return _DEPENDENCY.match(_plain(text)) is not None


def begins_with_verb(text: str) -> bool:
    """True when a description begins as an order does: what stands before a colon is then no area."""
    return re.match(rf"(?:{_VERBS}|revert|merge|when|if|in|on|for)\b", _plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(_CODE.sub(f" {_NAME_STANDS_FOR_CODE} ", text[:_WORDS_AT_MOST]).lower().split())
