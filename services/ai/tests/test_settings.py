from typing import Any

import pytest
from services.ai.tests.factories import API_KEY

from ai_service.settings import AiSettings
from chassis.settings import SettingsInvalid
from chassis.testing.harness import Installation


def settings(installation: Installation, **values: Any) -> AiSettings:
    return AiSettings(**installation.settings("ai", database_url="postgresql://ai_app:x@127.0.0.1/aiops", **values))


def test_nothing_set_means_the_built_in_engine(installation: Installation) -> None:
    assert not settings(installation).openai_configured


@pytest.mark.parametrize("values", [{"openai_base_url": "http://127.0.0.1:9/v1"}, {"openai_api_key": API_KEY}])
def test_an_address_or_a_key_means_a_model(installation: Installation, values: dict[str, str]) -> None:
    assert settings(installation, openai_model="m", **values).openai_configured
    with pytest.raises(SettingsInvalid, match="AI_OPENAI_MODEL"):
        settings(installation, **values)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9/v1", "ftp://host/v1", "http:///v1", "http://user:word@host/v1", "http://host/v1?key=1"]
)
def test_an_address_is_plain(installation: Installation, url: str) -> None:
    with pytest.raises(SettingsInvalid, match="AI_OPENAI_BASE_URL") as refusal:
        settings(installation, openai_base_url=url, openai_model="m")

    assert "word" not in str(refusal.value)


def test_the_key_is_in_no_text_of_the_settings(installation: Installation) -> None:
    assert API_KEY not in repr(settings(installation, openai_api_key=API_KEY, openai_model="m"))
