"""The identity provider that the console lets people sign in at, from the settings."""

from casework.console.ports import SingleSignOn
from casework.errors import ConfigurationError
from casework.gates import Role
from casework.oidc import Client
from casework.settings import Settings
from integrations.oidc import OidcProvider


def single_sign_on(settings: Settings) -> SingleSignOn | None:
    """The provider that the settings name; None where they name none.

    Raises:
        ConfigurationError: what it needs is not set, or a role does not exist.
    """
    if not settings.oidc_issuer:
        return None
    for name in ("oidc_client_id", "console_url"):
        if not getattr(settings, name):
            raise ConfigurationError(
                f"CASEWORK_OIDC_ISSUER is set, and CASEWORK_{name.upper()} is not",
                hint="docs/console.md lists what single sign-on needs",
            )
    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        console_url=settings.console_url,
        claim=settings.oidc_claim,
        groups_claim=settings.oidc_groups_claim,
        roles=_roles(settings),
        name=settings.oidc_name,
    )
    provider = OidcProvider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        timeout=settings.provider_timeout,
    )
    return SingleSignOn(client, provider)


def _roles(settings: Settings) -> dict[str, Role]:
    unknown = sorted(set(settings.oidc_roles.values()) - set(Role))
    if unknown:
        raise ConfigurationError(
            f"CASEWORK_OIDC_ROLES names roles that there are not: {', '.join(unknown)}",
            hint=f"roles are {', '.join(Role)}",
        )
    if bool(settings.oidc_roles) != bool(settings.oidc_groups_claim):
        raise ConfigurationError(
            "CASEWORK_OIDC_ROLES and CASEWORK_OIDC_GROUPS_CLAIM go together",
            hint="set both, so that groups decide about roles, or neither",
        )
    return {group: Role(role) for group, role in settings.oidc_roles.items()}
