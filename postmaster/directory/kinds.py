"""The kinds of directories."""

from enum import StrEnum


class Kind(StrEnum):
    """The directories whose entries PostMaster knows."""

    ACTIVE_DIRECTORY = "Active Directory"
    OPENLDAP = "OpenLDAP"
    FREEIPA = "FreeIPA"
