"""What a file of the tree may hold: no download address, no machine's path, no dead link, no oversized ADR."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
SECTIONS = ["Status", "Area", "Context", "Decision", "Consequences", "Alternatives"]
PAGE_LINES = 60


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).is_file()]


def test_the_lock_file_pins_everything_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    pins = re.findall(r"^[a-z0-9][a-z0-9.\-]*==\S+.*?(?=^[a-z0-9]|\Z)", lock, flags=re.MULTILINE | re.DOTALL)

    assert len(pins) > 80
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in lock
    assert not re.search(r"^(-|--)", lock, flags=re.MULTILINE)


def test_every_asked_package_is_pinned() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    asked = [re.split(r"[\[<>=]", line)[0].lower() for line in (ROOT / "requirements.in").read_text().split()]

    missing = [name for name in asked if not re.search(rf"^{re.escape(name)}==", lock, flags=re.MULTILINE)]

    assert missing == []


def test_no_file_names_a_path_of_a_machine() -> None:
    path = re.compile(r"(?<![\w>}.])/(?:root|work|Users|mnt|srv)/[\w.]|/home/[a-z]+/\.(?!ssh/)")

    found = [
        str(file.relative_to(ROOT))
        for file in tracked()
        if file != Path(__file__) and path.search(file.read_text(errors="ignore"))
    ]

    assert found == []


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.stem)
def test_an_adr_has_its_sections_and_fits_a_page(adr: Path) -> None:
    text = adr.read_text()

    found = [re.search(rf"^(?:## |[-*] )?\**{section}", text, flags=re.MULTILINE) for section in SECTIONS]
    positions = [match.start() if match else -1 for match in found]

    assert text.startswith(f"# {adr.stem[:4]}")
    assert -1 not in positions, f"needs {SECTIONS} in this order"
    assert positions == sorted(positions)
    assert len(text.splitlines()) <= PAGE_LINES


def test_links_between_documents_lead_somewhere() -> None:
    own = ("services/*", "charts", "gateway", "infra/terraform", "infra/terraform/modules/*")
    readmes = [file for folder in own for file in ROOT.glob(f"{folder}/README.md")]
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *readmes]

    dead = [
        f"{document.relative_to(ROOT)} -> {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
        if not (document.parent / target).exists()
    ]

    assert dead == []
