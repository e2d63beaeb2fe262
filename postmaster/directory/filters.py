"""Filling values into search filters."""

import re

from ldap3.utils.conv import escape_filter_chars

PLACE = re.compile(r"\{(user|dn|group)\}")


def fill(template: str, **places: str) -> str:
    """A filter with ``{user}``, ``{dn}``, ``{group}`` replaced by escaped values (RFC 4515)."""
    return PLACE.sub(lambda place: escape_filter_chars(places.get(place[1], place[0])), template)
