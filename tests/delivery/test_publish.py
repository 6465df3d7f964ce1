"""What dev/publish.sh asks of a container engine and of a cloud, by programs that write down what they were asked."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = [f"aiops-{name}" for name in ("auth", "logs", "tickets", "changelog", "ai", "gateway", "dashboard", "migrate")]
Publish = Callable[[str, Mapping[str, str]], subprocess.CompletedProcess[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout with the script alone and a built dashboard, and a docker and an aws that do as they are told."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "publish.sh").write_text((ROOT / "dev" / "publish.sh").read_text())
    (tmp_path / "dashboard" / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dashboard" / "dist" / "index.html").write_text("<!doctype html>")
    (tmp_path / "bin").mkdir()
    for program in ("docker", "aws"):
        file = tmp_path / "bin" / program
        file.write_text(
            f'#!/usr/bin/env bash\necho "{program} $*" >>"$WORLD/asked"\n[ ! -e "$WORLD/{program}-fails" ]\n'
        )
        file.chmod(0o755)
    return tmp_path


@pytest.fixture
def publish(tree: Path) -> Publish:
    def run(command: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        path = f"{tree / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", tree / "dev" / "publish.sh", command],
            env={"PATH": path, "WORLD": str(tree), **settings},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def asked(tree: Path) -> list[str]:
    file = tree / "asked"
    return file.read_text().splitlines() if file.exists() else []


def test_every_image_is_pushed_under_the_registry_with_its_version(tree: Path, publish: Publish) -> None:
    done = publish("images", {"VERSION": "v1.4.0", "REGISTRY": "registry.example/aiops"})

    pushed = [line for line in asked(tree) if line.startswith("docker push")]
    assert done.returncode == 0, done.stderr
    assert pushed == [f"docker push --quiet registry.example/aiops/{image}:1.4.0" for image in IMAGES]
    assert f"docker tag aiops-auth:1.4.0 {pushed[0].split()[-1]}" in asked(tree)


def test_saved_images_are_pushed_as_they_were_saved(tree: Path, publish: Publish) -> None:
    (tree / "build" / "images").mkdir(parents=True)
    (tree / "build" / "images" / "images.tar").write_text("images")

    publish("images", {"VERSION": "1.4.0", "REGISTRY": "registry.example"})

    assert asked(tree)[0] == "docker load --quiet --input build/images/images.tar"


def test_an_image_that_is_not_there_is_named_and_none_is_pushed(tree: Path, publish: Publish) -> None:
    (tree / "docker-fails").touch()

    done = publish("images", {"VERSION": "1.4.0", "REGISTRY": "registry.example"})

    assert done.returncode == 1
    assert done.stderr == (
        "There is no image aiops-auth:1.4.0, or Docker's engine does not answer. Make it: make images VERSION=1.4.0\n"
    )
    assert asked(tree) == ["docker image inspect aiops-auth:1.4.0"]


@pytest.mark.parametrize(
    ("command", "settings", "told"),
    [
        ("images", {"VERSION": "", "REGISTRY": "r"}, "VERSION is ''; it is the tag of the images"),
        ("images", {"VERSION": "1.4.0"}, "REGISTRY is not set; it is where the images go"),
        ("pages", {"PAGES_BUCKET": "b"}, "PAGES_DISTRIBUTION is not set; it is the distribution before PAGES_BUCKET."),
        ("page", {}, "usage: dev/publish.sh archive|images|pages"),
    ],
)
def test_what_is_missing_is_told(
    tree: Path, publish: Publish, command: str, settings: Mapping[str, str], told: str
) -> None:
    done = publish(command, settings)

    assert (done.returncode, done.stderr.startswith(told)) == (1, True), done.stderr
    assert asked(tree) == []


def test_a_page_goes_after_what_it_asks_for_and_alone_is_forgotten_at_once(tree: Path, publish: Publish) -> None:
    done = publish("pages", {"PAGES_BUCKET": "pages", "PAGES_DISTRIBUTION": "E1"})

    assets, others, page, forgotten = asked(tree)
    assert done.returncode == 0, done.stderr
    assert assets.startswith("aws s3 sync dashboard/dist/assets s3://pages/assets ")
    assert assets.endswith("--cache-control public, max-age=31536000, immutable")
    assert "--exclude assets/* --exclude index.html --cache-control no-cache" in others
    assert page.startswith("aws s3 cp dashboard/dist/index.html s3://pages/index.html ")
    assert forgotten == "aws cloudfront create-invalidation --distribution-id E1 --paths /*"
    assert "--delete" not in "".join(asked(tree))


def test_where_the_cluster_serves_the_pages_nothing_is_to_do(tree: Path, publish: Publish) -> None:
    done = publish("pages", {})

    assert done.returncode == 0
    assert done.stdout == "PAGES_BUCKET is not set: the cluster serves the pages, and there is nothing to do.\n"
    assert asked(tree) == []
