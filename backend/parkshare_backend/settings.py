"""Settings from the environment (PARKSHARE_*) and from files of a secrets directory."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

from parkshare_backend.store.engine import DatabaseUrlError, database_url

SECRETS_DIR = Path("/run/secrets")  # where container runtimes put them; a file `parkshare_database` counts


class Settings(BaseSettings):
    """What an operator may choose; everything has a default that runs."""

    model_config = SettingsConfigDict(env_prefix="PARKSHARE_", extra="ignore", frozen=True)

    database: str = Field(
        default="parkshare.db",
        repr=False,  # it may hold the password
        description="a file path, a sqlite:/// URL, or postgresql://user@host/database (15 or newer)",
    )
    database_password: SecretStr = Field(
        default=SecretStr(""), description="of PostgreSQL; best as the secret file parkshare_database_password"
    )
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
    passkey_origins: tuple[str, ...] = Field(
        default=(), description='apps that may use passkeys, too, as JSON: ["android:apk-key-hash:..."]'
    )
    places_service: Literal["none", "nominatim", "photon", "pelias"] = Field(
        default="none", description="who turns addresses into points; none needs no service"
    )
    places_url: str = Field(default="", description="where that service is; empty is its public one (not for pelias)")
    places_key: SecretStr = Field(default=SecretStr(""), description="the key that a Pelias server wants, if any")
    places_contact: str = Field(default="", description="an address for who runs the service, told in each request")
    places_per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0
    places_timeout_s: Annotated[float, Field(gt=0, le=30)] = 4.0
    token_days: Annotated[int, Field(ge=1, le=3650)] = 90
    # RFC 9106 section 4, second recommended option (64 MiB, three passes).
    password_memory_kib: Annotated[int, Field(ge=8)] = 65_536
    password_passes: Annotated[int, Field(ge=1)] = 3
    metrics_host: str = Field(default="127.0.0.1", description="where metrics are read; they have no password")
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        default=None, description="port of /metrics for Prometheus; without one there are none"
    )
    notice_s: Annotated[float, Field(ge=0, le=60)] = Field(
        default=0.0, description="time in which /readyz says that the server ends, before it stops listening"
    )
    webhooks_to_private: bool = Field(
        default=False,
        description="send webhooks to http:// and to addresses of private networks too: whoever has an account can "
        "then make the server call what only it can reach",
    )
    drain_s: Annotated[float, Field(ge=0, le=300)] = Field(
        default=20.0, description="time for open requests at the end"
    )

    # Money: see docs/money.md. Amounts are in the smallest unit of a currency.
    payments: Literal["credits", "checkout"] = Field(
        default="credits", description="how bookings with a price are paid"
    )
    platform_fee_bp: Annotated[int, Field(ge=0, le=5000)] = Field(
        default=0, description="what the operator adds to the price of parking, in hundredths of a percent"
    )
    minimum_charge_minor: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="the least that a booking with a price costs"
    )
    credits_initial_minor: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        default=0, description="credits that each account starts with"
    )
    credits_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        default="EUR", description="the currency of the credits that each account starts with"
    )
    credits_may_owe: bool = Field(default=True, description="whether an account may go below zero")
    checkout_url: str = Field(default="https://api.stripe.com", description="the API of the hosted checkout")
    checkout_secret_key: SecretStr | None = Field(default=None, description="the key for that API")
    checkout_webhook_secret: SecretStr | None = Field(default=None, description="the key that signs its events")
    checkout_minutes: Annotated[int, Field(ge=5, le=1200)] = Field(
        default=30, description="how long a renter may take to pay before the booking is canceled"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_password(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Put the password where the connection is made from; one in the URL itself is kept if no other is given."""
        password, database = values.get("database_password"), values.get("database")
        if not password or not isinstance(database, str) or "://" not in database:
            return values
        plain = password.get_secret_value() if isinstance(password, SecretStr) else str(password)
        try:
            url = database_url(database).set(password=plain)
        except DatabaseUrlError:
            return values  # the field's own check says it
        return {**values, "database": url.render_as_string(hide_password=False)}

    @field_validator("database")
    @classmethod
    def _usable_database(cls, value: str) -> str:
        database_url(value)
        return value

    @field_validator("places_url")
    @classmethod
    def _places_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _pelias_has_an_address(self) -> Self:
        if self.places_service == "pelias" and not self.places_url:
            raise ValueError("places_service pelias needs places_url: there is no public one")
        return self

    @field_validator("public_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _checkout_has_keys(self) -> Self:
        if self.payments == "checkout" and not (self.checkout_secret_key and self.checkout_webhook_secret):
            raise ValueError("PARKSHARE_PAYMENTS=checkout needs CHECKOUT_SECRET_KEY and CHECKOUT_WEBHOOK_SECRET")
        if self.checkout_secret_key and not self.checkout_url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("PARKSHARE_CHECKOUT_URL must start with https://: a key travels to it")
        return self

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
