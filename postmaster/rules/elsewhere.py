"""Administrators whose password is kept elsewhere: a directory, a provider, a proxy.

Each has a row of its own, made at the first sign-in and found again by what identifies the
account there, so that a renamed account stays the same administrator. Their user names have
the place in them (alice@corp.example.com), so that a local alice is somebody else.
"""

import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db import announce
from ..directory import names
from ..directory.plan import Account, Directory
from ..errors import Forbidden, Invalid, Phrase, RuleError, Unavailable
from ..models import Admin
from . import addresses, admins, attempts, history, lengths, sessions, settings, turns
from .actor import Actor
from .attempts import Attempt, Outcome, SignIn


@dataclass(frozen=True)
class Person:
    """Somebody whom another place vouches for; ``username`` has that place in it.

    ``old_usernames`` is how earlier versions may have written the same account.
    """

    source: str
    external_id: str
    username: str
    name: str
    old_usernames: tuple[str, ...] = ()

    def marked_username(self, number: int) -> str:
        """The user name where other administrators have the usual one."""
        mark = f" ({self.source})" if number == 1 else f" ({self.source} {number})"
        return self.username[: lengths.of(Admin.username) - len(mark)] + mark


def of_directory(directory: Directory, account: Account) -> Person:
    """The person behind an account of the directory."""
    return Person(
        sessions.LDAP,
        account.external_id,
        _in_full(account.username, directory.domain),
        account.name,
        old_usernames=(account.username,),
    )


def meant(session: Session, directory: Directory, typed: str) -> Admin | None:
    """The administrator whom a typed name probably means, to count attempts by."""
    # Full-width letters, for instance, are the usual ones to OpenLDAP (RFC 4518, 2.3).
    name = names.read(unicodedata.normalize("NFKC", typed).lower())
    if name is None or name.form is names.Form.DN:
        return None
    full = _in_full(name.account, directory.domain)
    marked = Person(sessions.LDAP, "", full, "").marked_username(1)
    return _called(session, sessions.LDAP, (full, marked, name.account, name.typed))


def admitted(session: Session, person: Person, ip: str) -> Admin | RuleError:
    """The administrator's row, made at the first sign-in and brought up to date at each."""
    turns.take(session, turns.Queue.ADMINS)
    admin = _known(session, person)
    try:
        _check_may_be(admin, person)
        lengths.check(person.username, Admin.username, "username")
    except (Forbidden, Invalid) as error:
        return error
    if admin is None:
        admin = _new(session, person, ip)
    else:
        _bring_up_to_date(session, admin, person, ip)
    admin.external_id = person.external_id
    admin.confirmed = history.now().replace(microsecond=0)
    session.flush()
    return admin


def confirm(session: Session, admin_id: int) -> None:
    """The directory says again that this administrator may sign in."""
    admin = session.get(Admin, admin_id)
    if admin is not None:
        admin.confirmed = history.now().replace(microsecond=0)
        session.flush()


def dismiss(session: Session, who: sessions.SignedIn, ip: str, refusal: RuleError) -> None:
    """End all sessions of an administrator whom the directory does not let in any more."""
    sessions.end_all(session, who.admin_id)
    sentence = f'The sessions of "{{name}}" were ended: {refusal}'
    sessions.log(session, who.username, ip, sentence)


def external_id_of(session: Session, who: sessions.SignedIn) -> str:
    """By what a directory or a proxy knows whoever is signed in."""
    return session.scalar(select(Admin.external_id).where(Admin.id == who.admin_id)) or ""


def is_due(session: Session, who: sessions.SignedIn) -> bool:
    """Whether the directory has to be asked again if this administrator may be here."""
    if who.source != sessions.LDAP:
        return False
    confirmed = session.scalar(select(Admin.confirmed).where(Admin.id == who.admin_id))
    values = settings.values_of(session, settings.LDAP_ENABLED, settings.ELSEWHERE_MINUTES)
    if not values[settings.LDAP_ENABLED] or confirmed is None:
        return True
    due: datetime = confirmed + timedelta(minutes=values[settings.ELSEWHERE_MINUTES])
    return due <= history.now()


def refused(session: Session, attempt: Attempt, error: RuleError) -> RuleError:
    """The refusal of a directory or a provider, of which the log tells more."""
    is_guess = bool(getattr(error, "is_wrong_password", False))
    detail = str(getattr(error, "detail", ""))
    if getattr(error, "is_fault", False):
        log_fault(session, attempt.username, attempt.ip, error, f" ({detail})")
    return attempts.refused(
        session,
        attempt,
        Outcome.WRONG_PASSWORD if is_guess else Outcome.NOT_ADMITTED,
        error,
        remark=f" ({detail})" if detail else "",
    )


def not_answered(session: Session, username: str, ip: str, error: Unavailable) -> Unavailable:
    """The refusal while nobody can be asked."""
    announce(session, SignIn(Outcome.NOT_ANSWERED))
    log_fault(session, username, ip, error)
    return error


def log_fault(session: Session, username: str, ip: str, error: RuleError, more: str = "") -> None:
    """Have the log tell, in any case, why nobody could be asked or believed."""
    sentence = f"Signing in was not possible: {error.for_operators()}{more}"
    announce(session, history.LogEntry("error", addresses.shown(username), sentence, ip))


# --- rows -----------------------------------------------------------------------


def _known(session: Session, person: Person) -> Admin | None:
    here = select(Admin).where(Admin.source == person.source).with_for_update()
    admin = session.scalar(here.where(Admin.external_id == person.external_id))
    if admin is not None:
        return admin
    if person.source == sessions.OPENID:
        return None  # there, many may choose their user name themselves
    # Rows of PostMaster 1.x have no identifier yet.
    return _called(session, person.source, (person.username, *person.old_usernames))


def _called(session: Session, source: str, usernames: Sequence[str]) -> Admin | None:
    """The row of the first of these user names, to the letter: MySQL also finds o by ö."""
    here = select(Admin).where(Admin.source == source, Admin.username.in_(usernames))
    found = {(admin.username or "").lower(): admin for admin in session.scalars(here)}
    known = [found[name] for name in usernames if name in found]
    if not known:
        return None
    return session.scalar(select(Admin).where(Admin.id == known[0].id).with_for_update())


def _check_may_be(admin: Admin | None, person: Person) -> None:
    """Refuse a row that was turned off here, or that was somebody else's of the same name."""
    if admin is None:
        return
    if admin.active is False:
        raise Forbidden(Phrase("Your account was turned off in PostMaster"))
    if admin.external_id not in (None, person.external_id):
        raise Forbidden(
            Phrase(
                "Another account was %(username)s before; an administrator has to delete that one "
                "here first"
            ),
            username=admin.username,
        )


def _new(session: Session, person: Person, ip: str) -> Admin:
    admin = Admin(
        username=_free_username(session, person),
        name=_name(person),
        source=person.source,
        active=True,
        failed_attempts=0,
        otp_active=False,
    )
    session.add(admin)
    session.flush()
    admins.record(
        session, _oneself(admin, ip), history.Action.CREATE, admin, new=admins.as_recorded(admin)
    )
    return admin


def _bring_up_to_date(session: Session, admin: Admin, person: Person, ip: str) -> None:
    old, old_username = admins.as_recorded(admin), admin.username
    if admin.external_id is not None and not _is_called(admin, person):
        admin.username = _free_username(session, person, besides=admin)
    admin.name = _name(person)
    new = admins.as_recorded(admin)
    if new != old:
        session.flush()
        admins.record(
            session,
            _oneself(admin, ip),
            history.Action.CHANGE,
            admin,
            name=old_username,
            old=old,
            new=new,
        )


def _is_called(admin: Admin, person: Person) -> bool:
    """Whether the row has one of the names that this account may have here."""
    username = admin.username or ""
    marked = username.startswith(f"{person.username} ({person.source}")
    return username in (person.username, *person.old_usernames) or marked


def _oneself(admin: Admin, ip: str) -> Actor:
    return Actor(admin.id, admin.username or "", "page", ip)


def _free_username(session: Session, person: Person, besides: Admin | None = None) -> str:
    """The user name, or one that says where from, if other administrators have it."""
    for number in itertools.count():
        username = person.marked_username(number) if number else person.username
        taken = select(Admin.id).where(Admin.username == username)
        if besides is not None:
            taken = taken.where(Admin.id != besides.id)
        if session.scalar(taken.limit(1)) is None:
            return username
    raise AssertionError("numbers do not end")


def _name(person: Person) -> str:
    shown = "".join(c for c in person.name if c.isprintable()).strip() or person.username
    return shown[: lengths.of(Admin.name)]


def _in_full(account: str, domain: str) -> str:
    return (account if "@" in account else f"{account}@{domain}").lower()
