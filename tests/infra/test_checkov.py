"""Checkov finds nothing in what the installation is made of; each exception stands in its file, with its reason."""

import re
import shutil
from pathlib import Path

import pytest
from tests.infra.checking import run_checkov
from tests.infra.tree import TREE

ROOT = Path(__file__).resolve().parents[2]
OPEN_BUCKET = """
resource "aws_s3_bucket" "pages" {
  bucket = "pages"
}

resource "aws_s3_bucket_acl" "pages" {
  bucket = aws_s3_bucket.pages.id
  acl    = "public-read"
}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # the first run installs


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of a copy of the tree that has a mistake in it: one run tells what is found and what is not."""
    folder = tmp_path_factory.mktemp("infra") / "terraform"
    shutil.copytree(TREE, folder, ignore=shutil.ignore_patterns(".terraform*"))
    (folder / "open.tf").write_text(OPEN_BUCKET)
    return run_checkov(folder, "terraform")


def test_nothing_is_found_in_terraform(findings: list[str]) -> None:
    assert [line for line in findings if "/open.tf:" not in line] == []


def test_a_public_bucket_is_found(findings: list[str]) -> None:
    assert [line.rpartition("/")[2] for line in findings if "CKV_AWS_20 " in line] == [
        "open.tf:2 CKV_AWS_20 aws_s3_bucket.pages: S3 Bucket has an ACL defined which allows public READ access."
    ]


def test_nothing_is_found_in_the_dockerfile() -> None:
    assert run_checkov(ROOT / "Dockerfile", "dockerfile") == []


def test_every_exception_has_a_reason() -> None:
    files = [*TREE.rglob("*.tf"), *ROOT.glob("Dockerfile*")]
    skips = [line for file in files for line in re.findall(r"checkov:skip=.*", file.read_text())]

    without = [skip for skip in skips if not re.fullmatch(r"checkov:skip=CKV2?_[A-Z]+_\d+:\S.{20,}", skip)]

    assert len(skips) >= 10
    assert without == []
