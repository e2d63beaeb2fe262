"""The kinds of directories."""

from enum import StrEnum


class Kind(StrEnum):
    """The directories whose entries PostMaster knows."""

    ACTIVE_DIRECTORY = "Active Directory"
    OPENLDAP = "OpenLDAP"
    FREEIPA = "FreeIPA"


def may_be_searched(kind: str, bind_account: str | None) -> bool:
    """Whether people can be looked up without their password: by an account, or by nobody."""
    return bool(bind_account) or kind != Kind.ACTIVE_DIRECTORY
