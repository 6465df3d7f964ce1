"""What the types, gitmoji and scopes that people write mean for the notes."""

from changelog_service.commits.model import Bump, ExclusionReason, Section

Kind = Section | ExclusionReason

FEATURE_TYPES = frozenset({"feat", "feats", "feature", "features", "enhancement", "enh", "add", "added", "new"})
FIX_TYPES = frozenset(
    {"fix", "fixes", "fixed", "bug", "bugs", "bugfix", "bugfixes", "hotfix", "regression", "security", "sec"}
)
_TYPES_OF: dict[Kind, tuple[str, ...]] = {
    Section.ADDED: tuple(FEATURE_TYPES),
    Section.CHANGED: ("perf", "performance", "improve", "improvement", "change", "changed", "breaking", "ui", "ux"),
    Section.DEPRECATED: ("deprecate", "deprecated", "deprecation"),
    Section.REMOVED: ("remove", "removed", "removal"),
    Section.FIXED: tuple(FIX_TYPES - {"security", "sec"}),
    Section.SECURITY: ("security", "sec"),
    ExclusionReason.DOCUMENTATION: ("docs", "doc", "documentation", "readme", "typo", "typos", "changelog", "license"),
    ExclusionReason.DEPENDENCY: ("deps", "dep", "dependency", "dependencies", "deps-dev"),
    ExclusionReason.RELEASE: ("release", "version"),
    ExclusionReason.MEANINGLESS: ("wip", "tmp", "temp"),
    ExclusionReason.INTERNAL: (
        *("build", "ci", "ci/cd", "chore", "chores", "test", "tests", "testing", "style", "styles", "refactor"),
        *("refactoring", "lint", "linting", "internal", "infra", "dev", "tooling", "tools", "typing", "types"),
        *("cleanup", "clean-up", "clean", "maint", "maintenance", "bench", "benchmark", "benchmarks", "workflow"),
        *("workflows", "github", "gha", "pre-commit", "coverage", "devops", "format", "fmt", "mypy", "makefile"),
    ),
}
TYPES: dict[str, Kind] = {name: kind for kind, names in _TYPES_OF.items() for name in names}

STANDARD_TYPES = frozenset(
    {"build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"},
)
"""Types that Conventional Commits and the convention that it rests on name; only feat and fix raise a version."""

AREA_TYPES = frozenset({"add", "change", "deprecate", "improve", "new", "remove", "version"})
"""Types that are also names of commands: `remove: improve its message` is about the command and removes nothing."""

_GITMOJI_OF = {
    "feat": "sparkles ✨ tada 🎉 children_crossing 🚸 egg 🥚",
    "fix": "bug 🐛 ambulance 🚑 adhesive_bandage 🩹 goal_net 🥅 apple 🍎 penguin 🐧 checkered_flag 🏁",
    "security": "lock 🔒 passport_control 🛂",
    "perf": "zap ⚡ racehorse 🐎",
    "change": "lipstick 💄 globe_with_meridians 🌐 wheelchair ♿ alien 👽 iphone 📱 speech_balloon 💬 boom 💥",
    "deprecate": "wastebasket 🗑",
    "docs": "memo 📝 pencil 📝 pencil2 ✏ books 📚 bulb 💡 page_facing_up 📄 busts_in_silhouette 👥",
    "deps": "arrow_up ⬆ arrow_down ⬇ pushpin 📌 heavy_plus_sign \u2795 heavy_minus_sign \u2796 package 📦",
    "release": "bookmark 🔖",
    "wip": "construction 🚧",
    "revert": "rewind ⏪",
    "chore": (
        "art 🎨 recycle ♻ white_check_mark ✅ test_tube 🧪 rocket 🚀 construction_worker 👷 green_heart 💚 wrench 🔧 "
        "hammer 🔨 rotating_light 🚨 truck 🚚 label 🏷 coffin ⚰ see_no_evil 🙈 bricks 🧱 technologist 🧑‍💻 "
        "camera_flash 📸 clown_face 🤡 alembic ⚗ seedling 🌱 building_construction 🏗 poop 💩 beers 🍻"
    ),
}
GITMOJI: dict[str, str] = {
    f":{symbol}:" if symbol.isascii() else symbol: name
    for name, symbols in _GITMOJI_OF.items()
    for symbol in symbols.split()
}

INTERNAL_SCOPES = frozenset(
    {"ci", "test", "tests", "testing", "e2e", "lint", "tooling", "github", "gh", "gha", "pre-commit", "fixtures"}
    | {"bench", "benchmark", "benchmarks"},
)
DOCUMENTATION_SCOPES = frozenset({"docs", "doc", "documentation", "readme"})
DEPENDENCY_SCOPES = frozenset({"deps", "dep", "deps-dev", "dev-deps", "dependencies"})

BUMP_OF_SECTION = {
    Section.ADDED: Bump.MINOR,
    Section.DEPRECATED: Bump.MINOR,
    Section.REMOVED: Bump.MINOR,
    Section.CHANGED: Bump.PATCH,
    Section.FIXED: Bump.PATCH,
    Section.SECURITY: Bump.PATCH,
}
"""For commits that name no type: as much as what they say asks for."""

DETAILS = {
    ExclusionReason.DOCUMENTATION: "documentation alone",
    ExclusionReason.DEPENDENCY: "dependency update",
    ExclusionReason.RELEASE: "makes the release itself",
    ExclusionReason.MEANINGLESS: "says nothing about a change",
    ExclusionReason.INTERNAL: "users do not notice",
}
