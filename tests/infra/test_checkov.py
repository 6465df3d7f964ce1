"""Checkov finds nothing in what the installation is made of; each exception stands in its file, with its reason."""

import re
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


@pytest.mark.parametrize(("path", "framework"), [("infra/terraform", "terraform"), ("Dockerfile", "dockerfile")])
def test_nothing_is_found(path: str, framework: str) -> None:
    assert run_checkov(ROOT / path, framework) == []


def test_a_public_bucket_is_found(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(OPEN_BUCKET)

    findings = run_checkov(tmp_path, "terraform")

    assert [line.rpartition("/")[2] for line in findings if "CKV_AWS_20 " in line] == [
        "main.tf:2 CKV_AWS_20 aws_s3_bucket.pages: S3 Bucket has an ACL defined which allows public READ access."
    ]


def test_every_exception_has_a_reason() -> None:
    files = [*TREE.rglob("*.tf"), *ROOT.glob("Dockerfile*")]
    skips = [line for file in files for line in re.findall(r"checkov:skip=.*", file.read_text())]

    without = [skip for skip in skips if not re.fullmatch(r"checkov:skip=CKV2?_[A-Z]+_\d+:\S.{20,}", skip)]

    assert len(skips) >= 10
    assert without == []
