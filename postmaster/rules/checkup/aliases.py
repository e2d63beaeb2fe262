"""What is odd about aliases, but for circles."""

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, not_, or_
from sqlalchemy.orm import Session, aliased

from ...errors import Phrase
from ...models import Alias, Domain, User
from .. import settings, suspensions
from .findings import Kind, Sample, Severity
from .scanning import (
    Rule,
    Scan,
    Text,
    domain_part,
    ends_in_blank,
    is_mixed_case,
    local_part,
    named_domains,
    never_matches,
    small,
)

NEVER_FOUND = Kind(
    "alias-never-found",
    Severity.ERROR,
    Phrase("Aliases with a blank before or a control character after the source"),
    Phrase("The mail server never finds such a row: the alias does not work."),
    Phrase("Takes the blanks away. The aliases work from then on."),
)
SOURCE_UNUSABLE = Kind(
    "alias-source-unusable",
    Severity.WARNING,
    Phrase("Aliases whose source no mail can have"),
    Phrase(
        "A source is an address, or @ and a domain, without blanks, commas, semicolons or letters "
        "beyond a-z. No mail reaches this one. Change it, or delete it."
    ),
)
NO_DOMAIN = Kind(
    "alias-no-domain",
    Severity.WARNING,
    Phrase("Aliases whose domain is not there"),
    Phrase("Mail to them is refused. Either add the domain, or delete the aliases."),
    Phrase("Adds the domains. Mail to all their users and aliases is taken from then on."),
)
OTHER_DOMAIN = Kind(
    "alias-other-domain",
    Severity.WARNING,
    Phrase("Aliases that belong to another domain than their source"),
    Phrase(
        "Mail arrives, but the alias is deleted together with the wrong domain, and stays when "
        "its own is deleted."
    ),
    Phrase("Moves each to the domain of its source. Nothing changes for mail."),
)
EMPTY = Kind(
    "destination-empty",
    Severity.ERROR,
    Phrase("Aliases without destination"),
    Phrase(
        "Mail to an alias without another row is refused; where blanks stand as the destination, "
        "it waits, and goes back after days."
    ),
    Phrase("Deletes them. They deliver no mail today."),
)
INCOMPLETE = Kind(
    "destination-incomplete",
    Severity.ERROR,
    Phrase("Destinations without @"),
    Phrase(
        "Postfix adds the name of the mail server itself, so the mail goes to another place than "
        "meant, or back to its sender. Write the whole address."
    ),
)
LIST = Kind(
    "destination-list",
    Severity.WARNING,
    Phrase("Destinations that are several addresses in one row"),
    Phrase(
        "Postfix splits them and mail arrives, but nothing that looks for an address finds them: "
        "not PostMaster's warnings before a deletion, and not its search."
    ),
    Phrase("Gives each address a row of its own. Nothing changes for mail."),
)
NAMED = Kind(
    "destination-named",
    Severity.WARNING,
    Phrase("Destinations with a name beside the address"),
    Phrase(
        "Postfix takes the address out of the brackets and mail arrives, but nothing that looks "
        "for the address finds it."
    ),
    Phrase("Leaves only the address. Nothing changes for mail."),
)
UNUSABLE = Kind(
    "destination-unusable",
    Severity.WARNING,
    Phrase("Destinations that are no address"),
    Phrase(
        "They hold blanks, or letters beyond a-z. Most mail to them comes back to its sender. "
        "Change them, or delete them."
    ),
)
DANGLING = Kind(
    "alias-dangling",
    Severity.ERROR,
    Phrase("Aliases that lead nowhere"),
    Phrase(
        "The destination is in a domain of this server, where there is no such user or alias. "
        "Mail is taken and then comes back to its sender."
    ),
    Phrase(
        "Deletes them, and those that would lead nowhere then. Mail to a source without another "
        "destination is refused from then on, or goes to the catch-all if there is one."
    ),
)
OVER_MAILBOX = Kind(
    "alias-over-mailbox",
    Severity.WARNING,
    Phrase("Aliases that take the mail of a mailbox"),
    Phrase(
        "There is a mailbox of the same address as the source, and it gets nothing: all mail "
        "goes to the destinations. It may be meant so."
    ),
    Phrase("Adds an alias from the mailbox to itself: it gets its mail too."),
)
DOUBLE = Kind(
    "alias-double",
    Severity.NOTE,
    Phrase("Aliases that are there twice"),
    Phrase("Each destination gets one copy, however often it is there."),
    Phrase("Deletes the further rows. Nothing changes for mail."),
)
MIXED_CASE = Kind(
    "alias-mixed-case",
    Severity.NOTE,
    Phrase("Aliases with capital letters"),
    Phrase("Mail arrives all the same: the mail server does not look at the case."),
    Phrase(
        "Writes sources, and destinations on this server, in small letters. Nothing changes for "
        "mail."
    ),
)
BLANKS = Kind(
    "alias-blanks",
    Severity.NOTE,
    Phrase("Aliases with blanks around an address"),
    Phrase("Mail arrives, but nothing that looks for the destination finds it."),
    Phrase("Takes the blanks away. Nothing changes for mail."),
)
SEVERAL = "[,;\r\n]"  # what Postfix splits a destination at
NAME = "<[^<>]*>"
AROUND = "^[ \t]|[ \t]$"
NOTHING = "^[ \t\r\n]*$"
# Not a printable ASCII character.
BEYOND = "[^!-~]"
FOREIGN, APART = "[^!-~ \t]", "[!-~][ \t]+[!-~]"
# Of an alias as most are.
USUAL = "[a-z0-9._+-]+@[a-z0-9._-]+"
USABLE_SOURCE = "^[!-+.-:<-?A-~-]*@[!-+.-:<-?A-~-]+$"


def scan(session: Session) -> Scan:
    """The aliases, each beside its own domain and those that its addresses name."""
    named, target, own = named_domains(), named_domains(), aliased(Domain)
    source, destination = Alias.source, Alias.destination
    hidden = never_matches(source)
    usable = func.trim(source).regexp_match(USABLE_SOURCE)
    is_there = named.c.id.is_not(None)
    is_empty = destination.regexp_match(NOTHING)
    is_list = and_(not_(is_empty), destination.regexp_match(SEVERAL))
    is_named = and_(not_(is_list), destination.regexp_match(NAME))
    is_whole = and_(not_(is_empty), not_(is_list), not_(is_named))
    has_at = destination.contains("@")
    is_odd = or_(destination.regexp_match(FOREIGN), destination.regexp_match(APART))
    is_clean = and_(is_whole, has_at, not_(destination.regexp_match(BEYOND)))
    is_here = target.c.id.is_not(None)
    rules = (
        Rule(NEVER_FOUND, hidden),
        Rule(SOURCE_UNUSABLE, and_(not_(hidden), not_(usable))),
        Rule(NO_DOMAIN, and_(not_(hidden), usable, not_(is_there))),
        Rule(OTHER_DOMAIN, and_(is_there, or_(own.id.is_(None), own.name != named.c.name))),
        Rule(EMPTY, is_empty),
        Rule(INCOMPLETE, and_(is_whole, not_(has_at))),
        Rule(LIST, is_list),
        Rule(NAMED, is_named),
        Rule(UNUSABLE, and_(is_whole, has_at, is_odd)),
        Rule(
            DANGLING,
            and_(is_clean, is_here, not_(destination.startswith("@")), not_(_is_place(session))),
        ),
        Rule(
            OVER_MAILBOX,
            and_(not_(hidden), is_clean, source != destination, _takes_mail_of_mailbox()),
        ),
        Rule(DOUBLE, _is_double()),
        Rule(
            MIXED_CASE,
            or_(is_mixed_case(source), and_(is_clean, is_here, is_mixed_case(destination))),
        ),
        Rule(
            BLANKS,
            or_(
                and_(not_(hidden), ends_in_blank(source)),
                and_(is_whole, not_(is_odd), destination.regexp_match(AROUND)),
            ),
        ),
    )
    joined = (
        Alias.__table__.outerjoin(own, own.id == Alias.domain_id)
        .outerjoin(named, named.c.name == domain_part(source))
        .outerjoin(target, target.c.name == domain_part(destination))
    )
    is_usual = and_(
        source.regexp_match(small(USUAL)),
        destination.regexp_match(small(USUAL)),
        own.name == domain_part(source),
        exists().where(User.email == destination),
        not_(exists().where(User.email == source)),
        not_(_is_double()),
    )
    return Scan(Alias, joined, is_usual, rules, sample)


def sample(alias: Alias) -> Sample:
    """An alias among the rows that are shown."""
    return Sample("alias", alias.id, f"{alias.source} -> {alias.destination}")


def _is_place(session: Session) -> ColumnElement[bool]:
    """Whether the destination is a user, or leads on: itself, or without its extension.

    A suspended user's address is a place still: it comes back.
    """
    destination = Alias.destination
    places = [_is_user(destination), _leads_on(destination)]
    delimiter = settings.value_of(session, settings.RECIPIENT_DELIMITER)
    if delimiter != settings.NO_DELIMITER:
        base = without_extension(destination, str(delimiter))
        has_extension = local_part(destination).contains(str(delimiter), autoescape=True)
        places.append(and_(has_extension, or_(_is_user(base), _leads_on(base))))
    return or_(*places)


def without_extension(address: Text, delimiter: str) -> ColumnElement[str]:
    """``ana+news@example.com`` as ``ana@example.com``."""
    local = local_part(address)
    base = func.substr(local, 1, func.instr(local, delimiter) - 1)
    return base.concat("@").concat(domain_part(address))


def _is_user(address: Text) -> ColumnElement[bool]:
    suspended = literal(suspensions.SIGN).concat(address)
    return or_(exists().where(User.email == address), exists().where(User.email == suspended))


def _leads_on(address: Text) -> ColumnElement[bool]:
    """A row that leads to itself leads to the mailbox alone."""
    on, catch_all = aliased(Alias), aliased(Alias)
    name = literal("@").concat(domain_part(address))
    is_itself = Alias.source == Alias.destination
    return case(
        (is_itself, False),
        (exists().where(on.source == address, on.destination != on.source), True),
        else_=exists().where(catch_all.source == name),
    )


def _takes_mail_of_mailbox() -> ColumnElement[bool]:
    copy = aliased(Alias)
    return and_(
        exists().where(User.email == Alias.source),
        not_(exists().where(copy.source == Alias.source, copy.destination == Alias.source)),
    )


def _is_double() -> ColumnElement[bool]:
    other = aliased(Alias)
    return exists().where(
        other.source == Alias.source,
        other.destination == Alias.destination,
        other.id < Alias.id,
    )
