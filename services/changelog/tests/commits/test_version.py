import pytest

from changelog_service.commits import Bump, Version, parse_version
from changelog_service.commits.version import raise_version, rise


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.4.2", Version("", 1, 4, 2)),
        ("v1.4.2", Version("v", 1, 4, 2)),
        ("0.0.0", Version("", 0, 0, 0)),
        ("24.10.0", Version("", 24, 10, 0)),
        ("2.0.0-rc.1+build.5", Version("", 2, 0, 0, "rc.1", "build.5")),
        ("1.0.0-0A.is.legal", Version("", 1, 0, 0, "0A.is.legal")),
        ("1.0.0+001", Version("", 1, 0, 0, "", "001")),
        ("1.2.3----RC-SNAPSHOT.12.9.1--.12+788", Version("", 1, 2, 3, "---RC-SNAPSHOT.12.9.1--.12", "788")),
    ],
)
def test_semantic_version_is_read_and_written_the_same(text: str, version: Version) -> None:
    assert parse_version(text) == version
    assert str(version) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.1.1",
        "1.01.1",
        "1.1.01",
        "1.2.3-01",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-a..b",
        "a.b.c",
        "v",
        "1.2.3 ",
        " 1.2.3",
        "1.2.3\n",
        "-1.0.0",
        "release-1.2.3",
        "1.0.0-ä",
        "\u0661.\u0662.\u0663",
        "9" * 30 + ".0.0",
        "1.0.0-" + "a" * 300,
    ],
)
def test_what_is_no_semantic_version_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no semantic version\. Examples: 1\.4\.2, v1\.4\.2, 2\.0\.0-rc\.1"):
        parse_version(text)


def test_precedence_is_that_of_rule_11() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"]
    ordered += ["1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "v1.9.0", "1.10.0", "2.0.0"]

    shuffled = ordered[::3] + ordered[2::3] + ordered[1::3]

    assert sorted(shuffled, key=lambda text: parse_version(text).precedence) == ordered


@pytest.mark.parametrize(
    ("previous", "bump", "following"),
    [
        ("1.4.2", Bump.PATCH, "1.4.3"),
        ("1.4.2", Bump.MINOR, "1.5.0"),
        ("1.4.2", Bump.MAJOR, "2.0.0"),
        ("v1.4.2", Bump.MINOR, "v1.5.0"),
        ("0.4.2", Bump.PATCH, "0.4.3"),
        ("0.4.2", Bump.MINOR, "0.5.0"),
        ("0.4.2", Bump.MAJOR, "0.5.0"),
        ("1.4.2+build", Bump.PATCH, "1.4.3"),
        ("2.0.0-rc.1", Bump.MAJOR, "2.0.0"),
        ("2.0.0-rc.1", Bump.PATCH, "2.0.0"),
        ("2.1.0-rc.1", Bump.MINOR, "2.1.0"),
        ("2.1.0-rc.1", Bump.MAJOR, "3.0.0"),
        ("2.1.1-rc.1", Bump.PATCH, "2.1.1"),
        ("2.1.1-rc.1", Bump.MINOR, "2.2.0"),
        ("0.5.0-rc.1", Bump.MAJOR, "0.5.0"),
        ("1.4.2", Bump.NONE, "1.4.2"),
    ],
)
def test_version_rises_as_the_bump_says(previous: str, bump: Bump, following: str) -> None:
    assert str(raise_version(parse_version(previous), bump)) == following


@pytest.mark.parametrize(
    ("previous", "following", "bump"),
    [
        ("1.4.2", "2.0.0", Bump.MAJOR),
        ("1.4.2", "1.5.0", Bump.MINOR),
        ("1.4.2", "1.4.3", Bump.PATCH),
        ("2.0.0-rc.1", "2.0.0", Bump.PATCH),
        ("1.4.2", "1.4.2", Bump.NONE),
        ("1.4.2", "1.4.1", Bump.NONE),
    ],
)
def test_rise_names_the_part_that_is_higher(previous: str, following: str, bump: Bump) -> None:
    assert rise(parse_version(previous), parse_version(following)) is bump
