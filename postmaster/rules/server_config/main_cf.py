"""The rest of main.cf that decides what becomes of mail to the tables' domains.

The parameters and their defaults are those of postconf(5).
"""

from collections.abc import Iterator

from ...errors import Phrase
from .findings import Finding, Kind, Severity, found
from .panel import Panel
from .postfix_syntax import Parameters, map_name

WANTED = frozenset(
    {
        "append_at_myorigin",
        "compatibility_level",
        "disable_vrfy_command",
        "local_recipient_maps",
        "mydestination",
        "mydomain",
        "myhostname",
        "mynetworks",
        "proxy_read_maps",
        "queue_directory",
        "recipient_delimiter",
        "relay_domains",
        "smtpd_recipient_restrictions",
        "smtpd_relay_restrictions",
        "smtpd_sasl_auth_enable",
        "smtpd_sasl_path",
        "smtpd_sasl_type",
        "smtpd_tls_auth_only",
        "smtpd_tls_security_level",
        "virtual_alias_address_length_limit",
        "virtual_alias_domains",
        "virtual_alias_expansion_limit",
        "virtual_alias_maps",
        "virtual_alias_recursion_limit",
        "virtual_mailbox_domains",
        "virtual_mailbox_maps",
        "virtual_transport",
    }
)
LIMITS = (
    "virtual_alias_expansion_limit",
    "virtual_alias_recursion_limit",
    "virtual_alias_address_length_limit",
)
DEFAULT_LIMIT = 1000
BARRIERS = frozenset(
    {
        "reject_unauth_destination",
        "defer_unauth_destination",
        "reject",
        "defer",
        "defer_if_permit",
    }
)
RESTRICTIONS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
RELAY_LINE = (
    "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, "
    "reject_unauth_destination"
)
EVERYWHERE = ("0.0.0.0/0", "0/0", "[::]/0", "::/0")

DOMAIN_TWICE = Kind(
    "domain-twice",
    Severity.ERROR,
    Phrase("%(domains)s: in %(parameter)s, and in PostMaster's list of domains too."),
    Phrase("Postfix does not take its users and aliases from the tables."),
)
DATABASE_TWICE = Kind(
    "database-twice",
    Severity.ERROR,
    Phrase("%(parameter)s asks the database, as virtual_mailbox_domains does."),
    Phrase("Postfix does not take the users of these domains from the tables."),
)
NO_TRANSPORT = Kind(
    "not-to-dovecot",
    Severity.ERROR,
    Phrase("virtual_transport is %(transport)s: Postfix does not hand mail over to Dovecot."),
    Phrase("Mail does not reach the mailboxes that users see."),
)
OTHER_TRANSPORT = Kind(
    "other-transport",
    Severity.WARNING,
    Phrase("virtual_transport is %(transport)s. The guides use LMTP."),
    Phrase("Whether mail reaches the users' mailboxes depends on what that does."),
)
NO_DELIMITER = Kind(
    "no-delimiter",
    Severity.OK,
    Phrase("recipient_delimiter is not set."),
    Phrase("An address such as user+tag is one of its own, and is refused if it is not there."),
)
PLUS = Kind(
    "plus",
    Severity.OK,
    Phrase("recipient_delimiter is +."),
    Phrase("Mail to user+tag goes to user, unless an alias has just that address."),
)
OTHER_DELIMITER = Kind(
    "other-delimiter",
    Severity.WARNING,
    Phrase("recipient_delimiter is %(delimiter)s."),
    Phrase(
        "Mail to an address with such a character goes to the part before it, if the whole "
        "address is not there. Dovecot needs the same setting; its default is +."
    ),
)
LOW_LIMIT = Kind(
    "low-limit",
    Severity.WARNING,
    Phrase("%(parameter)s is %(limit)s, less than Postfix's default of 1000."),
    Phrase("Mail to an alias that leads to more than that waits, and goes back after days."),
)
OPEN_RELAY = Kind(
    "open-relay",
    Severity.ERROR,
    Phrase("Strangers may send to strangers, because of %(because)s."),
    Phrase("Anybody can send mail through this server. It will soon be on block lists."),
)
NO_BARRIER = Kind(
    "no-barrier",
    Severity.ERROR,
    Phrase("Neither of the restrictions for relaying and recipients refuses strangers."),
    Phrase("Postfix takes no mail at all with such a configuration, and says so in its log."),
)
RELAY_BY_DEFAULT = Kind(
    "relay-by-default",
    Severity.WARNING,
    Phrase("smtpd_recipient_restrictions has no reject_unauth_destination."),
    Phrase(
        "Postfix 2.10 and later refuse strangers by the default of smtpd_relay_restrictions, if "
        "compatibility_level is at least 1. Set it, so that it stays so."
    ),
)
RELAY_CLOSED = Kind(
    "relay-closed",
    Severity.OK,
    Phrase("Mail from strangers is taken only for this server's domains."),
    Phrase("It is no open relay."),
)
LOCAL_MAPS = Kind(
    "local-maps",
    Severity.OK,
    Phrase("local_recipient_maps is about the domains in mydestination only."),
    Phrase("It says nothing about the domains in the tables."),
)
NO_ORIGIN = Kind(
    "no-origin",
    Severity.WARNING,
    Phrase("append_at_myorigin is no."),
    Phrase("A destination without an @ leads nowhere."),
)
VRFY = Kind(
    "vrfy",
    Severity.WARNING,
    Phrase("disable_vrfy_command is not yes."),
    Phrase("Strangers can find out which addresses are here, by asking for one after the other."),
)
PLAIN_SIGN_IN = Kind(
    "plain-sign-in",
    Severity.WARNING,
    Phrase("Users can sign in to send mail without TLS: smtpd_tls_auth_only is not yes."),
    Phrase("Their passwords can be read on the way."),
)
OTHER_SIGN_IN = Kind(
    "other-sign-in",
    Severity.WARNING,
    Phrase("smtpd_sasl_type is %(type)s, not dovecot."),
    Phrase("Whether the passwords that PostMaster sets work for sending is not known."),
)
HASH_IN_VALUE = Kind(
    "hash-in-value",
    Severity.ERROR,
    Phrase("%(parameter)s has a # in its value. In main.cf a comment has a line of its own."),
    Phrase("Postfix takes the words after it as a part of the value."),
)
UNREAD_LINE = Kind(
    "unread-line",
    Severity.WARNING,
    Phrase("These lines are no parameters: %(lines)s."),
    Phrase("They were left out here. If they stand in the file, Postfix does not start with it."),
)
MOST_LINES_NAMED = 10


def names_of_domains(main: Parameters) -> frozenset[str]:
    """The names that Postfix takes for other uses than the tables', in lower case."""
    names = [
        item
        for parameter in ("mydestination", "relay_domains", "virtual_alias_domains")
        for item in _domains(main, parameter)
    ]
    return frozenset(names)


def _domains(main: Parameters, parameter: str) -> list[str]:
    """A list's domains, each once: ``$myhostname`` may be one that is written out too."""
    if parameter == "mydestination" and parameter not in main:
        host = main.get("myhostname")
        domain = main.get("mydomain") or host.partition(".")[2]
        members = [name for name in (host, f"localhost.{domain}") if name and domain]
    else:
        members = [item for item in main.items_of(parameter) if not set(item) & set("/:$!{")]
    return list(dict.fromkeys(item.lower() for item in members))


def judge(main: Parameters, panel: Panel) -> Iterator[Finding]:
    """Everything but the maps."""
    if main.unread:
        lines = [str(number) for number in main.unread[:MOST_LINES_NAMED]]
        yield found(UNREAD_LINE, main.where, lines=lines)
    for parameter in sorted(main.values):
        if any(item.startswith("#") for item in main.items_of(parameter)):
            yield found(HASH_IN_VALUE, main.where, parameter=parameter)
    yield from _claimed_twice(main, panel)
    yield from _transport(main)
    yield from _delimiter(main)
    yield from _limits(main)
    yield from _relaying(main)
    yield from _hints(main)


def _claimed_twice(main: Parameters, panel: Panel) -> Iterator[Finding]:
    """Postfix itself warns: do not list a domain in both."""
    hosted = {map_name(item).written for item in main.items_of("virtual_mailbox_domains")}
    for parameter in ("mydestination", "relay_domains", "virtual_alias_domains"):
        right = "mydestination = localhost" if parameter == "mydestination" else f"{parameter} ="
        twice = [name for name in _domains(main, parameter) if name in panel.domains]
        if twice:
            yield found(DOMAIN_TWICE, main.where, right, domains=twice, parameter=parameter)
        if hosted & {map_name(item).written for item in main.items_of(parameter)}:
            yield found(DATABASE_TWICE, main.where, right, parameter=parameter)


def _transport(main: Parameters) -> Iterator[Finding]:
    transport = main.get("virtual_transport", "virtual")
    line = "virtual_transport = lmtp:unix:private/dovecot-lmtp"
    first = transport.partition(":")[0]
    if first in ("virtual", "local", ""):
        yield found(NO_TRANSPORT, main.where, line, transport=transport)
    elif first != "lmtp":  # where that leads, is for sockets to judge
        yield found(OTHER_TRANSPORT, main.where, line, transport=transport)


def _delimiter(main: Parameters) -> Iterator[Finding]:
    delimiter = main.get("recipient_delimiter")
    if not delimiter:
        yield found(NO_DELIMITER, main.where)
    elif delimiter == "+":
        yield found(PLUS, main.where)
    else:
        yield found(OTHER_DELIMITER, main.where, "recipient_delimiter = +", delimiter=delimiter)


def _limits(main: Parameters) -> Iterator[Finding]:
    for parameter in LIMITS:
        limit = main.get(parameter, str(DEFAULT_LIMIT))
        is_high = limit.isascii() and limit.isdigit() and len(limit.lstrip("0")) > 3
        if not is_high:
            line = f"{parameter} = {DEFAULT_LIMIT}"
            yield found(LOW_LIMIT, main.where, line, parameter=parameter, limit=limit)


def _relaying(main: Parameters) -> Iterator[Finding]:
    """Both lists are asked, so that one of them suffices to keep strangers out."""
    if set(main.items_of("mynetworks")) & set(EVERYWHERE):
        yield found(
            OPEN_RELAY,
            main.where,
            "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128",
            because="mynetworks",
        )
    elif any(_keeps_strangers_out(main.items_of(name)) for name in RESTRICTIONS):
        yield found(RELAY_CLOSED, main.where)
    elif BARRIERS & {item for name in RESTRICTIONS for item in main.items_of(name)}:
        yield found(OPEN_RELAY, main.where, RELAY_LINE, because="permit")
    elif "smtpd_relay_restrictions" in main:
        yield found(NO_BARRIER, main.where, RELAY_LINE)
    elif "smtpd_recipient_restrictions" in main:
        yield found(RELAY_BY_DEFAULT, main.where, RELAY_LINE)


def _keeps_strangers_out(restrictions: list[str]) -> bool:
    """Whether a stranger is refused before everybody is let in."""
    for restriction in restrictions:
        if restriction in BARRIERS:
            return True
        if restriction == "permit":
            return False
    return False


def _hints(main: Parameters) -> Iterator[Finding]:
    if "local_recipient_maps" in main:
        yield found(LOCAL_MAPS, main.where)
    if not main.is_on("append_at_myorigin", default=True):
        yield found(NO_ORIGIN, main.where, "append_at_myorigin = yes")
    if not main.is_on("disable_vrfy_command"):
        yield found(VRFY, main.where, "disable_vrfy_command = yes")
    if not main.is_on("smtpd_sasl_auth_enable"):
        return
    if main.get("smtpd_sasl_type", "cyrus") != "dovecot":
        yield found(
            OTHER_SIGN_IN,
            main.where,
            "smtpd_sasl_type = dovecot",
            "smtpd_sasl_path = private/auth",
            type=main.get("smtpd_sasl_type", "cyrus"),
        )
    if not main.is_on("smtpd_tls_auth_only") and (
        main.get("smtpd_tls_security_level") != "encrypt"
    ):
        yield found(PLAIN_SIGN_IN, main.where, "smtpd_tls_auth_only = yes")
