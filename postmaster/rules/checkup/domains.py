"""What is odd about domains."""

from sqlalchemy import and_, false, func, not_
from sqlalchemy.orm import InstrumentedAttribute

from ...errors import Phrase
from ...models import Domain
from .findings import Kind, Sample, Severity
from .scanning import Rule, Scan, ends_in_blank, is_mixed_case, named_domains, never_matches

NEVER_FOUND = Kind(
    "domain-never-found",
    Severity.ERROR,
    Phrase("Domains with a blank before or a control character after the name"),
    Phrase(
        "The mail server never finds such a row, so mail for the domain is refused, unless "
        "another row has the name without the blank."
    ),
    Phrase("Takes the blanks away. Mail for the domain is taken from then on."),
)
UNUSABLE = Kind(
    "domain-unusable",
    Severity.ERROR,
    Phrase("Domains whose name no mail can have"),
    Phrase(
        "Mail arrives with names of letters, digits, hyphens and dots; a name with other "
        "letters arrives in its xn-- form. Add the domain in that form, and delete this one."
    ),
)
DOUBLE = Kind(
    "domain-double",
    Severity.WARNING,
    Phrase("Domains that are there twice"),
    Phrase(
        "Mail arrives, but deleting one of the rows takes only its own users and aliases along "
        "and leaves the domain in service."
    ),
    Phrase(
        "Moves users and aliases of the further rows to the first one, and deletes the further "
        "rows. Nothing changes for mail."
    ),
)
MIXED_CASE = Kind(
    "domain-mixed-case",
    Severity.NOTE,
    Phrase("Domains with capital letters"),
    Phrase("Mail arrives all the same: the mail server does not look at the case."),
    Phrase("Writes the name in small letters. Nothing changes for mail."),
)
BLANK_AT_END = Kind(
    "domain-blank-at-end",
    Severity.NOTE,
    Phrase("Domains with a blank after the name"),
    Phrase("Mail arrives all the same: the database does not see the blank when it compares."),
    Phrase("Takes the blank away. Nothing changes for mail."),
)
# Labels of letters, digits and hyphens (RFC 5321, section 4.1.2); underscores exist.
USABLE = r"^ *[a-z0-9_-]+([.][a-z0-9_-]+)*[.]? *$"


def scan() -> Scan:
    """The domains, each beside the first row of its name."""
    named = named_domains()
    name: InstrumentedAttribute[str] = Domain.name
    hidden = never_matches(name)
    rules = (
        Rule(NEVER_FOUND, hidden),
        Rule(UNUSABLE, and_(not_(hidden), not_(func.lower(name).regexp_match(USABLE)))),
        Rule(DOUBLE, named.c.id != Domain.id),
        Rule(MIXED_CASE, is_mixed_case(name)),
        Rule(BLANK_AT_END, and_(not_(hidden), ends_in_blank(name))),
    )
    source = Domain.__table__.outerjoin(named, named.c.name == name)
    return Scan(Domain, source, false(), rules, _sample)


def _sample(domain: Domain) -> Sample:
    return Sample("domain", domain.id, domain.name)
