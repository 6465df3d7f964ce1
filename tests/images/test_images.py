"""What the images are made of: by their recipe always, by themselves where an engine has them."""

import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = {
    match["name"]: match["body"]
    for match in re.finditer(
        r"^FROM \S+ AS (?P<name>\w+)\n(?P<body>.*?)(?=^FROM |\Z)", DOCKERFILE, flags=re.MULTILINE | re.DOTALL
    )
}
PORTS = {"auth": 8101, "logs": 8102, "tickets": 8103, "changelog": 8104, "ai": 8105}
PRODUCT = (*PORTS, "gateway", "dashboard", "migrate")
RUNNING = (*PORTS, "gateway")
MAX_BYTES = 250_000_000


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return document


def test_the_recipe_passes_its_linter() -> None:
    linted = subprocess.run(
        [Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (linted.stdout, linted.returncode) == ("", 0)


@pytest.mark.parametrize("image", [*PRODUCT, "engines"])
def test_each_image_starts_its_own_program_which_so_gets_the_signals(image: str) -> None:
    body = STAGES["gateway" if image == "dashboard" else image]
    entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", body, flags=re.MULTILINE)[1])  # type: ignore[index]

    assert entry[:2] in (["python", "-m"], ["aiops"], ["python", "/opt/engines/engines.py"])
    assert f'org.opencontainers.image.title="aiops-{image}"' in STAGES[image]
    assert "org.opencontainers.image.description=" in STAGES[image]


@pytest.mark.parametrize(("service", "port"), PORTS.items())
def test_a_service_listens_where_its_image_says(service: str, port: int) -> None:
    body = STAGES[service]

    assert f"EXPOSE {port} {port + 100}\n" in body
    assert f"{service.upper()}_GRPC_LISTEN=0.0.0.0:{port}" in body
    assert f"AIOPS_HEALTH_SETTING={service.upper()}_HTTP_LISTEN" in body
    assert f"{service.upper()}_HTTP_LISTEN=0.0.0.0:{port + 100}" in body
    assert f"{service.upper()}_KEY_FILE=/etc/aiops/key.pem" in body


def test_every_image_ends_without_rights_and_with_its_labels() -> None:
    last = DOCKERFILE[DOCKERFILE.index("FROM ${IMAGE}") :]

    assert last.rstrip().endswith("\nUSER 10001")
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)", last)) == {"version", "revision", "licenses"}
    assert "STOPSIGNAL SIGTERM" in STAGES["nobody"]
    assert "pip uninstall" in STAGES["nobody"]
    assert '"/opt/aiops/healthcheck.py"' in STAGES["process"].partition("HEALTHCHECK ")[2]


def let_in(path: str) -> bool:
    """Whether .dockerignore gives a path to the build: its last line that fits decides."""
    answer = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if not line or line.startswith("#"):
            continue
        parts = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        free = pattern.removeprefix("**/")
        if any(
            fnmatch.fnmatch(part, pattern) or (free != pattern and fnmatch.fnmatch(part.rpartition("/")[2], free))
            for part in parts
        ):
            answer = line.startswith("!")
    return answer


def test_the_build_is_given_what_it_copies_and_no_more() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, flags=re.MULTILINE)
        for name in line.split()[:-1]
    ]
    missing = [name for name in copied if not name.startswith("dashboard/") and not (ROOT / name).exists()]
    inside = [
        f"{name}/src/x.py" if name in {"proto", "chassis", "services", "gateway", "cli"} else name for name in copied
    ]

    assert missing == []
    assert [name for name in inside if not let_in(name)] == []
    assert [
        name
        for name in (
            ".git/config",
            ".venv/bin/python",
            ".aiops/secrets.json",
            "tests/images/test_images.py",
            "services/auth/tests/test_rpc.py",
            "chassis/src/chassis/__pycache__/clock.pyc",
            "dashboard/node_modules/react/index.js",
            "dashboard/src/main.tsx",
            "docs/api.md",
            "dev/state.py",
        )
        if let_in(name)
    ] == []


def test_the_image_that_migrates_holds_every_service_with_migrations() -> None:
    script = (ROOT / "dev/images/install.sh").read_text()
    wheels = re.search(r"migrate\)\n.*?wheels=\(([^)]*)\)", script)

    assert wheels
    assert set(wheels[1].split()) - {"cli"} == {
        path.parents[2].name for path in ROOT.glob("services/*/src/*/migrations/")
    }


def test_compose_follows_its_specification() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout) == (0, "ok -- validation done\n")


def test_each_container_is_confined_and_has_limits(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["user"] == "10001:10001", name
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "cpus", "pids_limit", "tmpfs", "logging"} <= service.keys(), name
        assert "privileged" not in service, name
        assert service["image"].removeprefix("aiops-").partition(":")[0] in {*PRODUCT, "engines"}, name


def test_containers_wait_for_what_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]

    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            finishes = services[needed]["restart"] == "no"
            wanted = "service_completed_successfully" if finishes else "service_healthy"
            assert how == {"condition": wanted}, (name, needed)
            assert finishes or "healthcheck" in services[needed], needed
    assert {name for name in services if services[name]["restart"] == "unless-stopped"} == {
        *RUNNING,
        "postgres",
        "nats",
    }


def test_one_door_leads_in_and_two_containers_reach_out(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert compose["networks"]["inside"] == {"internal": True}
    assert [name for name in services if services[name].get("ports")] == ["gateway"]
    assert services["gateway"]["ports"] == ["${AIOPS_ADDRESS:-127.0.0.1:8080}:8080"]
    assert {name for name in services if "outside" in services[name]["networks"]} == {"gateway", "ai"}


def test_nobody_mounts_the_secrets_of_another(compose: dict[str, Any]) -> None:
    mounts = {
        name: {volume.partition(":")[0] for volume in service.get("volumes", ()) if volume.startswith("secrets")}
        for name, service in compose["services"].items()
        if name != "secrets"
    }

    assert mounts == {
        **{name: {f"secrets-{name}"} for name in (*RUNNING, "postgres", "nats", "migrate")},
        **{name: {"secrets-migrate"} for name in ("bootstrap", "backfill")},
        "operate": {"secrets-migrate", "secrets-auth"},
    }
    assert "${" not in json.dumps([service.get("volumes") for service in compose["services"].values()])
    assert not re.search(r"PASSWORD|_URL: postgres", (ROOT / "compose.yaml").read_text())


def test_anchors_are_written_to_a_volume_that_their_writers_own(compose: dict[str, Any]) -> None:
    services = compose["services"]

    mounted = {name for name in services if "anchors:/var/lib/anchors" in services[name].get("volumes", ())}
    assert mounted == {"auth", "logs", "tickets", "changelog", "operate"}
    assert {services[name]["environment"]["AIOPS_ANCHOR_URL"] for name in mounted} == {"file:/var/lib/anchors"}
    # A volume gets the owner that its folder has in the image.
    assert re.search(r"install --directory --owner 10001 .*/var/lib/anchors$", STAGES["nobody"], flags=re.MULTILINE)


def test_an_operators_commands_wait_for_a_person(compose: dict[str, Any]) -> None:
    assert {name for name, service in compose["services"].items() if "profiles" in service} == {"operate"}


@pytest.fixture
def without_engine(tmp_path: Path) -> dict[str, str]:
    """An environment in which no docker is found."""
    return {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "dev"), "AIOPS_ENGINE": ""}


@pytest.mark.parametrize("program", ["build", "smoke"])
def test_without_an_engine_it_says_what_to_install(without_engine: dict[str, str], program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"images.{program}"], env=without_engine, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "No container engine is installed." in done.stdout
    assert "sudo apt-get install docker.io docker-compose" in done.stdout


def test_an_engine_that_does_not_answer_is_told_apart(without_engine: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-m", "images.build"], env=without_engine, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert f"{tmp_path}/docker is installed, but no engine answers it." in done.stdout


@pytest.fixture(scope="module")
def engine() -> str:
    """A docker command whose engine has the images."""
    found = os.environ.get("AIOPS_ENGINE") or "docker"
    try:
        listed = subprocess.run(
            [found, "image", "ls", "--format", "{{.Repository}}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except FileNotFoundError:
        pytest.skip("no container engine is installed")
    if listed.returncode:
        pytest.skip("no container engine runs")
    if missing := {f"aiops-{image}" for image in PRODUCT} - set(listed.stdout.split()):
        pytest.skip(f"not built yet by `make images`: {', '.join(sorted(missing))}")
    return found


@pytest.mark.parametrize("image", PRODUCT)
def test_a_built_image_is_small_confined_and_labelled(engine: str, image: str) -> None:
    listed = subprocess.run(
        [engine, "image", "ls", "--quiet", f"aiops-{image}"], capture_output=True, text=True, check=True
    ).stdout.split()
    found = json.loads(subprocess.run([engine, "image", "inspect", listed[0]], capture_output=True, check=True).stdout)[
        0
    ]
    config = found["Config"]
    code = "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('pytest'))"
    looked = subprocess.run(
        [engine, "run", "--rm", "--read-only", "--network=none", "--entrypoint=python", listed[0], "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found["Size"] <= MAX_BYTES
    assert (config["User"], config["StopSignal"]) == ("10001", "SIGTERM")
    assert config["Labels"]["org.opencontainers.image.title"] == f"aiops-{image}"
    assert config["Healthcheck"]["Test"][0] == ("NONE" if image == "migrate" else "CMD")
    assert looked.stdout == "None None\n"
