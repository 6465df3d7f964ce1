"""What an operator can set for ai."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class AiSettings(ServiceSettings):
    """Settings of ai. Without a base URL and a key, the built-in engine answers everything."""

    model_config = SettingsConfigDict(env_prefix="AI_")

    grpc_listen: str = "127.0.0.1:8105"
    """Address for gRPC."""
    http_listen: str = "127.0.0.1:8205"
    """Address for health (`/healthz`, `/readyz`) and `/metrics`."""

    openai_base_url: str = ""
    """Address of an OpenAI-compatible endpoint, ending in `/v1`. Empty with a key set: that of the `openai` package."""
    openai_api_key: SecretStr = SecretStr("")
    """Key for the endpoint; local servers need none."""
    openai_model: str = ""
    """Model to ask; needed as soon as a base URL or a key is set."""
    openai_timeout_seconds: float = Field(20.0, gt=0, le=600)
    """How long one request to the model may take."""
    openai_deadline_seconds: float = Field(45.0, gt=0, le=600)
    """How long an answer of the model may take with all its retries; then the built-in engine answers."""
    openai_max_output_tokens: int = Field(1500, ge=100, le=100_000)
    """Most tokens that the model may write for one answer; always sent."""

    @property
    def openai_configured(self) -> bool:
        """True when a model shall answer."""
        return bool(self.openai_base_url or self.openai_api_key.get_secret_value())

    @field_validator("openai_base_url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query):
            raise ValueError("write http(s)://host[:port]/v1, with the key in AI_OPENAI_API_KEY")
        return url

    @model_validator(mode="after")
    def _model_named(self) -> AiSettings:
        if self.openai_configured and not self.openai_model:
            raise ValueError("set AI_OPENAI_MODEL to the model that AI_OPENAI_BASE_URL shall answer with")
        return self
