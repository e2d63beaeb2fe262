"""Who asks for an act."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """Who asks, by which surface (``page``, ``api``, ``command``), from which address.

    ``admin_id`` is None for the operator at the command line.
    """

    admin_id: int | None
    name: str
    via: str
    ip: str = ""
