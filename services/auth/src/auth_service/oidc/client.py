"""What this installation is to the provider, as the settings say it, and what the provider's groups give here. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from auth_service.domain import Role

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
# The first one that a group gives is the role.
_MOST_POWERFUL_FIRST = (Role.ADMIN, Role.OPS, Role.HR)


@dataclass(frozen=True)
class ClientRules:
    """One provider, and this installation as its client."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    """Empty for a public client, which proves itself by PKCE alone."""
    name: str
    scopes: str
    groups_claim: str
    verified_claim: str
    roles: Mapping[str, Role]
    session_lifetime: timedelta

    def role_of(self, groups: Iterable[str]) -> Role | None:
        """The most powerful role that one of the groups gives; None when none gives any."""
        given = {self.roles[group] for group in groups if group in self.roles}
        return next((role for role in _MOST_POWERFUL_FIRST if role in given), None)


def roles_from(text: str) -> dict[str, Role]:
    """The mapping in `group=role,group=role`.

    Raises:
        ValueError: it is malformed, names a group twice, or a role that does not exist.
    """
    roles: dict[str, Role] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        group, separator, role = (each.strip() for each in part.rpartition("="))
        if not separator or not group or role not in set(Role) or group in roles:
            raise ValueError(
                f"write AUTH_OIDC_ROLES as group=role,... with admin, ops and hr, each group once; not {part!r}"
            )
        roles[group] = Role(role)
    return roles


def is_private(url: str) -> bool:
    """Whether nobody on the way can read or change what is sent to the address: https, or this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL))
