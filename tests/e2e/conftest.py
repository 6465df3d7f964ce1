"""A real stack of real processes on free ports, as `make up` starts it: once in one process per service, once split."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.client import Census, Client, admin_of
from tests.e2e.scripted_model import ScriptedModel

from aiops_cli import graph

ROOT = Path(__file__).resolve().parents[2]
ONE_PROCESS = "one process"
"""The stack of this parameter; tests of what is the same in both forms ask for it alone."""
PORTS = (8080, 8180, 8432, 8422, 8522, *range(8101, 8106), *range(8201, 8206), *range(8301, 8306))

RUNNING = pytest.StashKey[dict[str, list["RunningStack"]]]()
"""The stacks of each folder of tests."""


@dataclass(frozen=True)
class RunningStack:
    """Where a stack runs and how to get in."""

    folder: Path
    offset: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{8080 + self.offset}"

    def log_in(self) -> graph.Graph:
        admin = json.loads((self.folder / "admin.json").read_text())
        session, _ = graph.log_in(self.url, admin["email"], admin["password"])
        return graph.Graph(session)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run dev/stack.py."""
        return subprocess.run(
            [sys.executable, str(ROOT / "dev" / "stack.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def aiops(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the aiops command as its user would."""
        return subprocess.run(
            [sys.executable, "-m", "aiops_cli", *arguments],
            env={**self.environment, "AIOPS_URL": self.url},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def free_offset() -> int:
    """An offset at which every port of a stack is free."""
    for _ in range(50):
        offset = random.randrange(2500, 20000, 500)  # noqa: S311 - no secret; browsers refuse port 10080
        sockets = []
        try:
            for port in PORTS:
                probe = socket.socket()
                sockets.append(probe)
                probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        else:
            return offset
        finally:
            for probe in sockets:
                probe.close()
    pytest.fail("no free range of ports was found")


def start(folder: Path, *options: str, extra: Mapping[str, str] | None = None) -> RunningStack:
    """Start a stack below the folder, with extra settings in its environment.

    Fails the test with the stack's own words when it does not start.
    """
    offset = free_offset()
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIOPS_", "AI_", "AUTH_", "LOGS_", "TICKETS_", "CHANGELOG_"))
        },
        "AIOPS_STATE_DIR": str(folder / "state"),
        "AIOPS_PORT_OFFSET": str(offset),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "AIOPS_ENVIRONMENT": "development",
        **(extra or {}),
    }
    stack = RunningStack(folder / "state", offset, environment)
    started = stack.command("up", "--detach", *options)
    assert started.returncode == 0, started.stdout + started.stderr
    return stack


def until_folder_ends(running: RunningStack, folder: Path, config: pytest.Config) -> RunningStack:
    """The stack, to be gone once the last test of the folder has run, however long the others go on."""
    config.stash.setdefault(RUNNING, {}).setdefault(str(folder), []).append(running)
    return running


def end_stacks(folder: Path, nextitem: pytest.Item | None, config: pytest.Config) -> None:
    """Remove the folder's stacks unless the next test is one of its own."""
    if nextitem is None or folder not in nextitem.path.parents:
        for running in config.stash.get(RUNNING, {}).pop(str(folder), []):
            running.command("reset")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """A stack that idles until all other tests are done costs an eighth of a core."""
    done = yield
    end_stacks(Path(__file__).parent, nextitem, item.config)
    return done


@pytest.fixture(scope="session", params=[ONE_PROCESS, "split"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    options = ("--split",) if request.param == "split" else ()
    running = start(tmp_path_factory.mktemp("stack"), *options)
    os.environ["XDG_CONFIG_HOME"] = running.environment["XDG_CONFIG_HOME"]
    yield until_folder_ends(running, Path(__file__).parent, request.config)
    running.command("reset")


@pytest.fixture
def graphql(stack: RunningStack) -> graph.Graph:
    return stack.log_in()


@pytest.fixture(scope="module")
def admin(stack: RunningStack) -> Client:
    return admin_of(stack)


@pytest.fixture(scope="module")
def census(stack: RunningStack) -> Iterator[Census]:
    """The rows that people and machines can add to, to be counted before and after a refusal."""
    census = Census(stack, "auth", "logs", "tickets", "changelog")
    yield census
    census.close()


def watched_by(model: ScriptedModel) -> dict[str, str]:
    """The settings of a stack that tells a scripted model all that it tells the world."""
    return {
        "AI_OPENAI_BASE_URL": model.url,
        "AI_OPENAI_MODEL": "scripted",
        "AI_OPENAI_TIMEOUT_SECONDS": "1",
        "AI_OPENAI_DEADLINE_SECONDS": "2",
        "AIOPS_OTLP_ENDPOINT": model.url.removesuffix("/v1"),
        **dict.fromkeys(("GATEWAY_PERSON_RATE", "GATEWAY_MACHINE_RATE", "GATEWAY_ANONYMOUS_RATE"), "0"),
    }


@pytest.fixture(scope="session")
def model_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningStack, ScriptedModel]]:
    """A stack that asks a scripted model, with little patience, sends it its traces, and lets one person ask much."""
    with ScriptedModel() as model:
        running = start(tmp_path_factory.mktemp("model"), extra=watched_by(model))
        yield until_folder_ends(running, Path(__file__).parent, request.config), model
        running.command("reset")
