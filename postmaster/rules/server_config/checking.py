"""Check the mail server's configuration against this database and this panel's setting."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models import Domain
from .. import settings
from ..actor import Actor
from . import judgement
from .findings import Report
from .panel import Panel
from .texts import Text

COMPARED = (settings.EMAIL2EMAIL_MAP, settings.RECIPIENT_DELIMITER, settings.MAIL_FOLDER)
MOST_NAMES = 500  # of domains that one query asks for


def check(session: Session, actor: Actor, texts: Iterable[Text]) -> Report:
    """What these texts say of the mail server. Nothing of them is stored or logged.

    Raises nothing, whatever stands in them.
    """
    server = judgement.read(texts)
    return judgement.judge(server, panel(session, server.asked_domains))


def panel(session: Session, names: Iterable[str] = ()) -> Panel:
    """PostMaster as it is, with those of the names that are domains of the table."""
    url = session.get_bind().engine.url
    asked = sorted(names)[:MOST_NAMES]
    lower = func.lower(Domain.name)
    rows = session.scalars(select(lower).where(lower.in_(asked))) if asked else ()
    values = settings.values_of(session, *COMPARED)
    return Panel(
        database=url.database or "",
        user=url.username or "",
        is_file=url.get_backend_name() == "sqlite",
        email2email=values[settings.EMAIL2EMAIL_MAP],
        delimiter=values[settings.RECIPIENT_DELIMITER],
        mail_folder=values[settings.MAIL_FOLDER],
        domains=frozenset(rows),
        setting_ids=settings.ids_of(session, *COMPARED),
    )
