"""How tests are spread over processes: a file runs in one of them, and so does a folder that shares a running stack."""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]  # it has no types
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # as above

TOGETHER = ("tests/dashboard/", "tests/e2e/")


class ByStack(LoadFileScheduling):  # type: ignore[misc]  # as above
    """By file, as `--dist loadfile`, and by folder where a stack is started once for all files in it."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByStack | None:
    """Answer `--dist loadfile` with it."""
    return ByStack(config, log) if config.getvalue("dist") == "loadfile" else None
