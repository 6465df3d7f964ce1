"""One Terraform, on one copy of the tree, for the tests of a session."""

import pytest
from tests.infra.terraform import NotHereError, Terraform, find


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    try:
        return find(tmp_path_factory.mktemp("infra"))
    except NotHereError as missing:
        pytest.skip(str(missing))
