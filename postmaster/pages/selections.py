"""Several rows that were ticked, and what a deletion may do with aliases elsewhere."""

from typing import Any

from flask_babel import lazy_gettext as _l

from ..rules.aliases import Orphans
from .forms import choices

ORPHAN_CHOICES = choices({Orphans.ALL: _l("Delete these too"), Orphans.KEEP: _l("Keep these")})


def orphans_of(form: Any) -> Orphans:
    """The choice that was made; where none was offered, there is nothing to choose."""
    return Orphans.KEEP if form.orphans.data == Orphans.KEEP else Orphans.ALL
