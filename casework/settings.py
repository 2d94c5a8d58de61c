"""Settings, read from the environment (``CASEWORK_*``) once at the edge and passed inwards."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from casework.errors import ConfigurationError
from casework.resources import resource


class Settings(BaseSettings):
    """Everything an operator can set. Each field is the variable ``CASEWORK_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CASEWORK_", frozen=True, extra="ignore")

    home: Path = Field(Path(".casework"), description="Folder for everything Casework keeps.")
    database_url: str = Field("", description="The store; empty: SQLite under the home folder.")
    policy_dir: Path | None = Field(None, description="Policy bundle; empty: the default one.")
    candidates_dir: Path | None = Field(
        None, description="Folder of bundles that leads may try in the console; empty: none."
    )
    signing_key_file: Path | None = Field(
        None, description="Ed25519 key that signs checkpoints; empty: made under the home folder."
    )
    ledger_origin: str = Field(
        "casework.example/ledger", description="Name of the ledger in its checkpoints."
    )
    actor: str = Field("", description="Who answers at gates on the command line.")
    prefect_ui_decisions: Literal["off", "unverified"] = Field(
        "off", description="Whether Prefect's Resume form may answer a one-person gate."
    )
    console_idle_minutes: int = Field(
        5,
        ge=1,
        le=120,
        description="Minutes without a touch after which a console page is covered.",
    )
    console_port: int = Field(
        4280, ge=1, le=65535, description="Port of the console; casework up takes a free one."
    )
    api_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="Requests a token may send to the API in a minute."
    )
    batch_size: int = Field(10_000, ge=1, le=100_000, description="Rows or cases in one batch.")
    review_workers: int = Field(8, ge=1, le=64, description="Review runs finished at once.")
    claim_minutes: int = Field(
        30, ge=1, le=1440, description="Minutes a claim lasts that is not renewed."
    )
    provider_timeout: float = Field(10.0, gt=0, description="Seconds a provider may take.")
    provider_attempts: int = Field(4, ge=1, le=10, description="Tries of a provider, in all.")
    provider_concurrency: int = Field(8, ge=1, description="Requests to a provider at once.")
    moderation_url: str = Field("", description="Base URL of the moderation API; empty: not used.")
    moderation_api_key: SecretStr = Field(SecretStr(""), description="Its API key.")
    moderation_model: str = Field("omni-moderation-latest", description="Its model.")
    account_url: str = Field("", description="Base URL of the account look-up; empty: not used.")
    account_api_key: SecretStr = Field(SecretStr(""), description="Its bearer token.")
    console_url: str = Field("", description="Base URL of the console, for links; empty: none.")
    webhook_url: str = Field("", description="Where webhooks are sent; empty: not used.")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Key that signs them, whsec_...")
    pagerduty_url: str = Field("", description="Base URL of PagerDuty's events; empty: not used.")
    pagerduty_routing_key: SecretStr = Field(SecretStr(""), description="Its integration key.")
    inbox_file: Path | None = Field(
        None, description="Sources that may post to the receiver; empty: it is not started."
    )
    receiver_host: str = Field("127.0.0.1", description="Address the receiver listens on.")
    receiver_port: int = Field(8090, ge=1, le=65535, description="Its port.")
    zendesk_url: str = Field("", description="Base URL of the help desk; empty: not used.")
    zendesk_email: str = Field("", description="The agent whose API token it is.")
    zendesk_api_token: SecretStr = Field(SecretStr(""), description="That API token.")
    zendesk_mapping: Path | None = Field(
        None, description="Mapping of pulled tickets; empty: samples/mappings/zendesk-api.yaml."
    )
    zendesk_since: AwareDatetime | None = Field(
        None, description="Where the first pull begins; empty: a day before it."
    )
    slack_url: str = Field("https://slack.com/api", description="Base URL of Slack's Web API.")
    slack_token: SecretStr = Field(SecretStr(""), description="Bot token; empty: not used.")
    jira_url: str = Field("", description="Base URL of the Jira site; empty: not used.")
    jira_email: str = Field("", description="The account whose API token it is.")
    jira_token: SecretStr = Field(SecretStr(""), description="That API token.")
    jira_project: str = Field("", description="Key of the project where issues are made.")
    jira_issue_type: str = Field("Task", description="Type of those issues.")
    health_region: str = Field(
        "country", description="Field of a case, or signal, by which health tells regions apart."
    )
    coop_url: str = Field(
        "", description="Base URL of the platform's Coop callbacks; empty: not used."
    )
    coop_api_key: SecretStr = Field(SecretStr(""), description="Key the platform asks for, if any.")
    coop_signing_key_file: Path | None = Field(
        None, description="RSA private key (PEM) that signs callbacks."
    )

    @property
    def store_url(self) -> str:
        """The store's SQLAlchemy URL."""
        if self.database_url:
            return self.database_url
        return f"sqlite:///{(self.home / 'casework.db').absolute()}"

    @property
    def bundle_dir(self) -> Path:
        """The folder of the policy bundle in force."""
        return self.policy_dir or resource("policies/default")

    @property
    def key_file(self) -> Path:
        """The file of the checkpoint signing key."""
        return self.signing_key_file or self.home / "keys" / "ledger.pem"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: a variable has a value that its setting does not allow.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"CASEWORK_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ConfigurationError(
            faults, hint="see docs/settings.md for what each setting takes"
        ) from error
