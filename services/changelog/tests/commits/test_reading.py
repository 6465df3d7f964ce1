import pytest

from changelog_service.commits import Commit, Exclusion, ExclusionReason, ReadCommit, Section, read

BOT = {"author_name": "dependabot[bot]", "author_email": "49699333+dependabot[bot]@users.noreply.github.com"}


def said(message: str, **values: object) -> ReadCommit:
    return read(Commit("a" * 40, message, **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "section"),
    [
        ("feat: pay by invoice", Section.ADDED),
        ("feature(cart): pay by invoice", Section.ADDED),
        ("feat: improve the basket", Section.CHANGED),
        ("feat!: drop the old basket", Section.REMOVED),
        ("feat: deprecate the old basket", Section.DEPRECATED),
        ("fix: correct minor typos in code", Section.FIXED),
        ("fix(dev): start again", Section.FIXED),
        ("fix: remove a wrong check", Section.FIXED),
        ("fix: SQL injection in search", Section.SECURITY),
        ("perf: answer faster", Section.CHANGED),
        ("security: renew tokens", Section.SECURITY),
        ("remove: the old basket", Section.REMOVED),
        ("remove: improve the message", Section.CHANGED),
        ("deps: require httpx 0.28", Section.CHANGED),
        ("Add a way to pay by invoice", Section.ADDED),
        ("Added support for Python 3.14", Section.ADDED),
        ("Support PEP 696", Section.ADDED),
        ("Allow empty baskets", Section.ADDED),
        ("Introduce coupons", Section.ADDED),
        ("Make the limit configurable", Section.ADDED),
        ("`--no-truncate` flag in the show command", Section.ADDED),
        ("t-string support", Section.ADDED),
        ("Fix a crash in the basket", Section.FIXED),
        ("Fixes #12: count baskets once", Section.FIXED),
        ("Fix #12 count baskets once", Section.FIXED),
        ("Prevent double payment", Section.FIXED),
        ("Don't pay twice", Section.FIXED),
        ("Do not pay twice", Section.FIXED),
        ("Handle empty baskets", Section.FIXED),
        ("Remove the entry when its file is gone", Section.FIXED),
        ("Remove the old basket", Section.REMOVED),
        ("Drop support for Python 3.8", Section.REMOVED),
        ("Deprecate the old basket", Section.DEPRECATED),
        ("Mark `old()` as deprecated", Section.DEPRECATED),
        ("Fix CVE-2024-47082 in the door", Section.SECURITY),
        ("Improve the basket", Section.CHANGED),
        ("Update the order of payments", Section.CHANGED),
        ("Bump the default timeout to 30 seconds", Section.CHANGED),
        ("Rename `pay` to `charge`", Section.CHANGED),
        ("Invoices are sent by mail", Section.CHANGED),
        ("Add support for pytest 9", Section.ADDED),
        ("Fix test discovery in `tests/`", Section.FIXED),
        ("Update dependencies resolution", Section.CHANGED),
        ("Merge duplicate baskets", Section.CHANGED),
        (":sparkles: pay by invoice", Section.ADDED),
        ("✨ pay by invoice", Section.ADDED),
        ("🐛 count twice", Section.FIXED),
        ("🔒️ renew tokens", Section.SECURITY),
        ("✨ feat(cart): pay by invoice", Section.ADDED),
        ("[cart] Add invoices", Section.ADDED),
        ("[fix] baskets", Section.FIXED),
        ("[JIRA-12] Add invoices", Section.ADDED),
        ("net/http: fix a leak", Section.FIXED),
        ("feat(cart):pay by invoice", Section.ADDED),
        ("feat : pay by invoice", Section.ADDED),
        ("(fix) baskets", Section.FIXED),
        ("fix - baskets", Section.FIXED),
        ("Feature/baskets", Section.ADDED),
        ("* Add baskets", Section.ADDED),
        ("Backport #12: Fix baskets", Section.FIXED),
        ("gh-12: Fix baskets", Section.FIXED),
        ("Reintroduce baskets", Section.ADDED),
        ("installer: fix path traversal", Section.SECURITY),
        ("GitHub Action: allow reading a file", Section.ADDED),
        ("Bump urllib3 from 2.0 to 2.1 [security] fixes CVE-2024-1", Section.SECURITY),
    ],
)
def test_commit_that_users_notice_has_the_section_that_it_speaks_of(message: str, section: Section) -> None:
    commit = said(message)

    assert (commit.section, commit.exclusion) == (section, None)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("chore: tidy", ExclusionReason.INTERNAL),
        ("refactor(cart): split", ExclusionReason.INTERNAL),
        ("test: more", ExclusionReason.INTERNAL),
        ("ci: run on arm", ExclusionReason.INTERNAL),
        ("build: use hatch", ExclusionReason.INTERNAL),
        ("style: format", ExclusionReason.INTERNAL),
        ("fix(ci): run again", ExclusionReason.INTERNAL),
        ("fix(tests): wait longer", ExclusionReason.INTERNAL),
        ("Add tests for the basket", ExclusionReason.INTERNAL),
        ("Fix flaky test", ExclusionReason.INTERNAL),
        ("Update the pre-commit hook versions", ExclusionReason.INTERNAL),
        ("Fix CI", ExclusionReason.INTERNAL),
        ("Refactor the basket", ExclusionReason.INTERNAL),
        ("Clean up imports", ExclusionReason.INTERNAL),
        ("Remove unused variables", ExclusionReason.INTERNAL),
        ("Remove dead code", ExclusionReason.INTERNAL),
        ("Add type annotations to the cart", ExclusionReason.INTERNAL),
        ("Fix mypy errors", ExclusionReason.INTERNAL),
        ("♻️ move things around", ExclusionReason.INTERNAL),
        (":white_check_mark: cover more", ExclusionReason.INTERNAL),
        ("docs: how to pay", ExclusionReason.DOCUMENTATION),
        ("docs(cart): how to pay", ExclusionReason.DOCUMENTATION),
        ("chore(docs): build", ExclusionReason.DOCUMENTATION),
        ("Update README", ExclusionReason.DOCUMENTATION),
        ("Update README.md", ExclusionReason.DOCUMENTATION),
        ("Fix typo in the guide", ExclusionReason.DOCUMENTATION),
        ("[docs] Clarify payments", ExclusionReason.DOCUMENTATION),
        ("📝 describe payments", ExclusionReason.DOCUMENTATION),
        ("Document the basket", ExclusionReason.DOCUMENTATION),
        ("Bump requests from 2.0 to 2.1", ExclusionReason.DEPENDENCY),
        ("chore(deps): bump requests from 2.0 to 2.1", ExclusionReason.DEPENDENCY),
        ("build(deps-dev): bump ruff from 0.1 to 0.2", ExclusionReason.DEPENDENCY),
        ("Update dependency vite to v6", ExclusionReason.DEPENDENCY),
        ("Lock file maintenance", ExclusionReason.DEPENDENCY),
        ("Update dependencies", ExclusionReason.DEPENDENCY),
        ("⬆️ upgrade httpx", ExclusionReason.DEPENDENCY),
        ("deps: bump httpx", ExclusionReason.DEPENDENCY),
        ("chore(release): 1.4.0", ExclusionReason.RELEASE),
        ("chore: release 1.4.0", ExclusionReason.RELEASE),
        ("Release 1.4.0", ExclusionReason.RELEASE),
        ("v1.4.0", ExclusionReason.RELEASE),
        ("Prepare release 24.4.0", ExclusionReason.RELEASE),
        ("Bump version to 1.4.0", ExclusionReason.RELEASE),
        ("🔖 1.4.0", ExclusionReason.RELEASE),
        ("Update changelog", ExclusionReason.RELEASE),
        ("wip", ExclusionReason.MEANINGLESS),
        ("WIP: payments", ExclusionReason.MEANINGLESS),
        ("Fix", ExclusionReason.MEANINGLESS),
        ("update", ExclusionReason.MEANINGLESS),
        ("...", ExclusionReason.MEANINGLESS),
        ("Initial commit", ExclusionReason.MEANINGLESS),
        ("Apply suggestions from code review", ExclusionReason.MEANINGLESS),
        ("fixup! feat: pay by invoice", ExclusionReason.MEANINGLESS),
        ("(#12)", ExclusionReason.MEANINGLESS),
        ("Merge branch 'main' into topic", ExclusionReason.MERGE),
        ("Merge remote-tracking branch 'origin/main'", ExclusionReason.MERGE),
        ('Revert "Bump requests from 2.0 to 2.1"', ExclusionReason.DEPENDENCY),
    ],
)
def test_commit_that_users_do_not_notice_is_left_out_with_its_reason(message: str, reason: ExclusionReason) -> None:
    commit = said(message)

    assert commit.section is None
    assert commit.exclusion is not None
    assert commit.exclusion.reason is reason
    assert 3 <= len(commit.exclusion.detail) <= 100


@pytest.mark.parametrize("reason", ["chore", "docs", "ci", "refactor", "wip", "release"])
def test_break_is_never_left_out(reason: str) -> None:
    assert said(f"{reason}!: drop the old basket").section is Section.REMOVED
    assert said(f"{reason}: tidy\n\nBREAKING CHANGE: baskets move").section is Section.CHANGED


def test_bot_is_known_by_its_name_address_or_words() -> None:
    assert said("fix(deps): update dependency httpx to v1", **BOT).exclusion == Exclusion(
        ExclusionReason.DEPENDENCY, "dependency update by a bot"
    )
    assert said("fix(deps): update dependency httpx to v1").section is Section.FIXED
    assert said("x", author_email="1+renovate[bot]@users.noreply.example").bot
    assert said("x\n\n---\nupdated-dependencies:\n- dependency-name: x").bot
    assert not said("x", author_name="Abbot", author_email="abbot@example.com").bot


def test_touched_paths_decide_where_words_do_not() -> None:
    assert said("Wait longer", paths=("tests/test_a.py", ".github/workflows/ci.yml")).exclusion == Exclusion(
        ExclusionReason.INTERNAL, "touches tests and build files alone"
    )
    assert said("Say it better", paths=("docs/a.md", "README.md")).exclusion == Exclusion(
        ExclusionReason.DOCUMENTATION, "documentation alone"
    )
    assert said("Wait longer", paths=("tests/test_a.py", "src/a.py")).section is Section.CHANGED
    assert said("feat: wait longer", paths=("tests/test_a.py",)).section is Section.ADDED


@pytest.mark.parametrize(
    ("message", "type_", "scope", "description"),
    [
        ("net/http: fix a leak", "fix", "net/http", "fix a leak"),
        ("installer: fix a leak", "installer", "", "fix a leak"),
        ("[cart] Add invoices (#3)", "feat", "cart", "Add invoices"),
        (":bug: count twice", "fix", "", "count twice"),
        ("✨ feat(cart): pay", "feat", "cart", "pay"),
        ("Fix #12: count twice", "fix", "", "count twice"),
        ("fix(cart):count twice", "fix", "cart", "count twice"),
        ("Backport #12: Fix baskets", "fix", "", "Fix baskets"),
        ("gh-12: Add baskets", "feat", "", "Add baskets"),
        ("SHOP-12: Add baskets", "feat", "SHOP-12", "Add baskets"),
        ("Fix crash when parsing: done", "fix", "", "Fix crash when parsing: done"),
        ("Improve it (#3) (#4)", "", "", "Improve it"),
        ("Update README", "docs", "", "Update README"),
        ("Bump requests from 2.0 to 2.1", "chore", "", "Bump requests from 2.0 to 2.1"),
        ('Revert "Add z"', "revert", "", 'Revert "Add z"'),
    ],
)
def test_other_styles_are_taken_apart(message: str, type_: str, scope: str, description: str) -> None:
    commit = said(message)

    assert (commit.type, commit.scope, commit.description) == (type_, scope, description)


@pytest.mark.parametrize(
    ("message", "description", "references"),
    [
        ("Merge pull request #12 from a/b\n\nAdd invoices", "Add invoices", ("#12",)),
        ("Merge pull request #12 from a/b\n\nfeat(cart): add invoices\n\nlong", "add invoices", ("#12",)),
        (
            "Merge branch 'x' into 'main'\n\nAdd invoices\n\nSee merge request shop/api!7",
            "Add invoices",
            ("shop/api!7",),
        ),
        ("Merged in topic (pull request #12)\n\nAdd invoices", "Add invoices", ("#12",)),
    ],
)
def test_merge_says_what_its_pull_request_says(message: str, description: str, references: tuple[str, ...]) -> None:
    commit = said(message)

    assert (commit.merge, commit.section) == (True, Section.ADDED)
    assert (commit.description, commit.references) == (description, references)


def test_merge_is_known_by_its_parents() -> None:
    assert said("Add invoices", parent_shas=("b" * 40, "c" * 40)).merge
    assert not said("Add invoices", parent_shas=("b" * 40,)).merge


def test_a_squash_as_git_writes_it_says_what_its_first_telling_commit_says() -> None:
    listed = [
        f"commit {sha * 40}\nAuthor: Ann <ann@example.com>\nDate:   Mon Nov 23 12:00:00 2026 +0000\n\n    {told}\n"
        for sha, told in (("c", "fix!: drop the old basket"), ("b", "feat(cart): add coupons"), ("a", "wip"))
    ]

    commit = said("Squashed commit of the following:\n\n" + "\n".join(listed))
    quoting = said("Add a page on commits\n\n    fix!: an example of a header\n")

    assert (commit.description, commit.scope, commit.section) == ("add coupons", "cart", Section.ADDED)
    assert (commit.breaking, quoting.breaking) == (True, False)


def test_what_a_terminal_or_an_encoding_cannot_take_is_replaced() -> None:
    commit = said("feat: a\x00b\x1b[31mc\ud800d\u202ee\n\nBREAKING CHANGE: \x00\udfff")

    assert commit.description == "a\ufffdb\ufffd[31mc\ufffdd\ufffde"
    assert commit.breaking_note == "\ufffd\ufffd"
    assert commit.body == "BREAKING CHANGE: \ufffd\ufffd"
    assert f"{commit.subject}{commit.body}".encode()


def test_endless_line_is_shown_shortened() -> None:
    commit = said(f"feat: {'x' * 1_000_000}")

    assert len(commit.subject) == 500
    assert (len(commit.description), commit.description[-1]) == (500, "…")
    assert commit.section is Section.ADDED
