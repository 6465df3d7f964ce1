"""Settings: read once, complete or refused, and never shown."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings, SettingsInvalid


class ParcelsSettings(ServiceSettings):
    """What parcels can be told."""

    model_config = SettingsConfigDict(env_prefix="PARCELS_")

    grpc_listen: str = "127.0.0.1:8199"
    """Address for gRPC."""
    weight_limit_grams: int = 1000
    """Heaviest parcel."""


ENVIRONMENT = {
    "AIOPS_TRUST_FILE": "trust.json",
    "AIOPS_REDACTION_KEY_FILE": "redaction.key",
    "PARCELS_DATABASE_URL": "postgresql://parcels_app:hunter2@127.0.0.1/aiops",
    "PARCELS_KEY_FILE": "parcels.pem",
    "PARCELS_HTTP_LISTEN": "127.0.0.1:8299",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_shared_and_own_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AIOPS_LOG_LEVEL", "DEBUG")
    environment.setenv("PARCELS_WEIGHT_LIMIT_GRAMS", "2000")

    settings = ParcelsSettings()

    assert (settings.trust_file, settings.key_file) == (Path("trust.json"), Path("parcels.pem"))
    assert (settings.log_level, settings.environment, settings.weight_limit_grams) == ("DEBUG", "production", 2000)
    assert (settings.grpc_listen, settings.http_listen) == ("127.0.0.1:8199", "127.0.0.1:8299")
    assert settings.auth_target == "127.0.0.1:8101"


def test_an_empty_variable_is_one_that_is_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AIOPS_LOG_LEVEL", "")

    assert ParcelsSettings().log_level == "INFO"


def test_what_is_missing_is_named_with_what_it_is(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AIOPS_TRUST_FILE")
    environment.delenv("PARCELS_KEY_FILE")

    with pytest.raises(SettingsInvalid) as refused:
        ParcelsSettings()

    assert str(refused.value).splitlines() == [
        "AIOPS_TRUST_FILE is not set. It is: JSON file with the public key (JWK) of every service, by name.",
        (
            "PARCELS_KEY_FILE is not set. "
            "It is: PEM file with the Ed25519 private key that this process proves itself with."
        ),
    ]


def test_what_is_malformed_is_named_and_not_repeated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARCELS_POOL_SIZE", "hunter2")

    with pytest.raises(SettingsInvalid) as refused:
        ParcelsSettings()

    assert str(refused.value).startswith("PARCELS_POOL_SIZE is not valid: ")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    settings = ParcelsSettings()

    assert "hunter2" not in f"{settings!r} {settings}"
    assert settings.database_url.get_secret_value().endswith("@127.0.0.1/aiops")


def test_settings_do_not_change(environment: pytest.MonkeyPatch) -> None:
    settings = ParcelsSettings()

    with pytest.raises(ValidationError):
        settings.log_level = "DEBUG"  # type: ignore[misc]

    assert settings.log_level == "INFO"


def test_every_field_is_described() -> None:
    assert [name for name, field in ParcelsSettings.model_fields.items() if not field.description] == []


def test_a_file_of_the_secrets_folder_sets_what_the_environment_does_not(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "PARCELS_NATS_PASSWORD").write_text("from-a-file\n")
    (tmp_path / "PARCELS_WEIGHT_LIMIT_GRAMS").write_text("500")
    (tmp_path / "AIOPS_LOG_LEVEL").write_text("ERROR")
    environment.setenv("AIOPS_SECRETS_FOLDER", str(tmp_path))
    environment.setenv("PARCELS_WEIGHT_LIMIT_GRAMS", "750")

    settings = ParcelsSettings()

    assert settings.nats_password.get_secret_value() == "from-a-file"
    assert (settings.weight_limit_grams, settings.log_level) == (750, "ERROR")


def test_a_secrets_folder_that_is_not_there_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("AIOPS_SECRETS_FOLDER", str(tmp_path / "away"))

    with pytest.raises(SettingsInvalid, match=r"AIOPS_SECRETS_FOLDER is .*away, which is no folder"):
        ParcelsSettings()
