"""Settings from the environment (PARKSHARE_*) and from files of a secrets directory."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

from parkshare_backend.store.engine import database_url

SECRETS_DIR = Path("/run/secrets")  # where container runtimes put them; a file `parkshare_database` counts


class Settings(BaseSettings):
    """What an operator may choose; everything has a default that runs."""

    model_config = SettingsConfigDict(env_prefix="PARKSHARE_", extra="ignore", frozen=True)

    database: str = Field(default="parkshare.db", description="a file path or a sqlite:/// URL")
    host: str = "0.0.0.0"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8732
    public_url: str = Field(default="http://localhost:8732", description="where people and houses reach the server")
    name: Annotated[str, Field(min_length=1, max_length=100)] = "ParkShare"
    registration_open: bool = Field(default=True, description="whether anybody may make an account")
    zeroconf: bool = Field(default=False, description="announce the server in the local network")
    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    rate_limits: Annotated[float, Field(ge=0)] = Field(default=1.0, description="factor of all limits; 0 is off")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description='networks whose X-Forwarded-For is believed, as JSON: ["10.0.0.0/8"]'
    )
    token_days: Annotated[int, Field(ge=1, le=3650)] = 90
    # RFC 9106 section 4, second recommended option (64 MiB, three passes).
    password_memory_kib: Annotated[int, Field(ge=8)] = 65_536
    password_passes: Annotated[int, Field(ge=1)] = 3
    drain_s: Annotated[float, Field(ge=0, le=300)] = Field(
        default=20.0, description="time for open requests at the end"
    )

    @field_validator("database")
    @classmethod
    def _usable_database(cls, value: str) -> str:
        database_url(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env: one place less to look at
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by ours below
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Prefer arguments, then the environment, then secret files where their directory exists."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if SECRETS_DIR.is_dir():
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=SECRETS_DIR))
        return tuple(sources)
