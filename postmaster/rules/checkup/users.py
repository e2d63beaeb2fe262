"""What is odd about users, but for their passwords."""

from sqlalchemy import Select, and_, exists, func, literal, not_, or_, select
from sqlalchemy.orm import Session, aliased

from ...errors import Phrase
from ...models import Alias, Domain, User
from .. import addresses, alias_rules, settings, suspensions
from .findings import MOST_SAMPLES, Finding, Kind, Sample, Severity
from .scanning import (
    Rule,
    Scan,
    domain_part,
    ends_in_blank,
    is_mixed_case,
    named_domains,
    never_matches,
    small,
)

NEVER_FOUND = Kind(
    "user-never-found",
    Severity.ERROR,
    Phrase("Users with a blank before or a control character after the address"),
    Phrase(
        "Neither Postfix nor Dovecot ever finds such a row: mail is refused, and nobody can "
        "sign in."
    ),
    Phrase(
        "Takes the blanks away, where no other user has the address. Mail arrives from then on, "
        "and the password works."
    ),
)
UNUSABLE = Kind(
    "user-unusable",
    Severity.ERROR,
    Phrase("Users whose address Dovecot does not take"),
    Phrase(
        "Postfix takes the mail and sends it back to its sender, and nobody can sign in. "
        "Before the @ a mailbox may have only a-z, 0-9, dot, hyphen and underscore. Give the "
        "user another address; an alias may lead to it from the old one."
    ),
)
NO_DOMAIN = Kind(
    "user-no-domain",
    Severity.ERROR,
    Phrase("Users whose domain is not there"),
    Phrase(
        "Mail to them is refused, but they can still sign in. Either add the domain, or "
        "delete the users."
    ),
    Phrase("Adds the domains. Mail to all their users and aliases is taken from then on."),
)
OTHER_DOMAIN = Kind(
    "user-other-domain",
    Severity.WARNING,
    Phrase("Users that belong to another domain than their address"),
    Phrase(
        "Mail arrives, but the user is deleted together with the wrong domain, and stays when "
        "its own is deleted."
    ),
    Phrase("Moves each to the domain of its address. Nothing changes for mail."),
)
SWALLOWED = Kind(
    "mailbox-swallowed",
    Severity.ERROR,
    Phrase("Mailboxes whose mail a catch-all takes"),
    Phrase(
        "This server has no email2email map (see the setting), so a catch-all takes the mail of "
        "every mailbox of its domain that has no alias of its own."
    ),
    Phrase(
        "Adds an alias from each mailbox to itself, which leaves it its mail. The catch-all "
        "keeps what goes to other addresses."
    ),
)
MIXED_CASE = Kind(
    "user-mixed-case",
    Severity.NOTE,
    Phrase("Users with capital letters"),
    Phrase(
        "Mail arrives, and signing in works in any case. The mail folder is named exactly as "
        "the row is written: in small letters the mailbox would seem empty. So PostMaster leaves "
        "it; rename the user and move the folder if you want it changed."
    ),
)
BLANK_AT_END = Kind(
    "user-blank-at-end",
    Severity.NOTE,
    Phrase("Users with a blank after the address"),
    Phrase(
        "Mail arrives, and signing in works. The mail folder has the blank in its name, so "
        "PostMaster leaves the row; rename the user and move the folder if you want it changed."
    ),
)
# Of the address in small letters.
ADDRESS = f"{addresses.MAILBOX_LOCAL_PART.pattern}@[a-z0-9._-]+"
USABLE = f"^ *{ADDRESS} *$"


def scan() -> Scan:
    """The users, each beside its own domain and the one that its address names.

    Who is suspended without mail has a sign before the address, which is no part of it.
    """
    named, own = named_domains(), aliased(Domain)
    email = User.email
    address = suspensions.address()
    hidden = never_matches(email)
    usable = func.lower(email).regexp_match(USABLE)
    gets_mail = not_(suspensions.gets_no_mail())
    is_there = named.c.id.is_not(None)
    rules = (
        Rule(NEVER_FOUND, hidden),
        Rule(UNUSABLE, and_(gets_mail, not_(hidden), not_(usable))),
        Rule(NO_DOMAIN, and_(not_(hidden), not_(is_there), email.contains("@"))),
        Rule(OTHER_DOMAIN, and_(is_there, or_(own.id.is_(None), own.name != named.c.name))),
        Rule(MIXED_CASE, is_mixed_case(email)),
        Rule(BLANK_AT_END, and_(not_(hidden), ends_in_blank(email))),
    )
    source = User.__table__.outerjoin(own, own.id == User.domain_id).outerjoin(
        named, named.c.name == domain_part(address)
    )
    is_usual = and_(
        email.regexp_match(small(ADDRESS)),
        own.name == domain_part(email),
    )
    return Scan(User, source, is_usual, rules, sample)


def sample(user: User) -> Sample:
    """A user among the rows that are shown."""
    return Sample("user", user.id, suspensions.address_of(user))


def find_swallowed(session: Session) -> list[Finding]:
    """The mailboxes whose mail a catch-all takes, on a server without email2email map."""
    found = swallowed(session)
    if found is None:
        return []
    count = session.scalar(select(func.count()).select_from(found.order_by(None).subquery())) or 0
    if not count:
        return []
    first = session.scalars(found.limit(MOST_SAMPLES))
    return [Finding(SWALLOWED, count, [sample(user) for user in first])]


def swallowed(session: Session) -> Select[User] | None:
    """The mailboxes whose mail a catch-all takes, but for those that it leads to.

    None where there is no catch-all, or an email2email map.
    """
    if settings.value_of(session, settings.EMAIL2EMAIL_MAP):
        return None
    catch_all = aliased(Alias)
    name = literal("@").concat(Domain.name)
    domain_ids = list(
        session.scalars(select(Domain.id).where(exists().where(catch_all.source == name)))
    )
    if not domain_ids:
        return None
    leads_to_it = exists().where(
        catch_all.destination == User.email,
        catch_all.source == literal("@").concat(domain_part(User.email)),
    )
    gets_mail = (*alias_rules.has_no_row_of_its_own(), ~never_matches(User.email))
    found = (
        select(User)
        .join(Domain, Domain.id == User.domain_id)
        .where(
            User.domain_id.in_(domain_ids),
            Domain.name == domain_part(User.email),
            *gets_mail,
            ~leads_to_it,
        )
    )
    # In the order of the index that finds them.
    return found.order_by(User.domain_id, User.id)
