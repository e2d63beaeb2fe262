"""Which tables main.cf asks, in which order: domains, mailboxes, aliases.

The parameters and their defaults are those of postconf(5).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...errors import Phrase
from . import maps
from .asked import ALIASES, DOMAINS, EMAIL2EMAIL, MAILBOXES, Role
from .findings import Finding, Kind, Severity, found
from .maps import USUAL_NAMES, MapFile, MapFiles
from .panel import Panel
from .postfix_syntax import MapName, Parameters, map_name

MAPS_FOLDER = "/etc/postfix"

NOT_SET = Kind("not-set", Severity.ERROR, Phrase("%(parameter)s is not set."))
NOT_THE_DATABASE = Kind(
    "not-the-database",
    Severity.ERROR,
    Phrase("%(parameter)s asks %(map)s, and not the database."),
    Phrase("What PostMaster changes does not reach the mail server."),
)
BESIDE_THE_DATABASE = Kind(
    "beside-the-database",
    Severity.WARNING,
    Phrase("%(parameter)s asks %(map)s besides the database."),
    Phrase("Its entries count too, and PostMaster does not see them."),
)
MAP_NOT_GIVEN = Kind(
    "map-not-given",
    Severity.WARNING,
    Phrase("%(parameter)s asks %(map)s, which was not given."),
    Phrase("Whether it asks the right question is not known."),
)
MAP_IN_MAIN_CF = Kind(
    "map-in-main-cf",
    Severity.WARNING,
    Phrase("The parameters of %(map)s stand in main.cf itself, which everybody may read."),
    Phrase("So does the password of the database. Put them into a file that only root may read."),
)
MAP_NOT_ASKED = Kind(
    "map-not-asked",
    Severity.OK,
    Phrase("main.cf does not ask this map for domains, mailboxes or aliases."),
    Phrase("It was not looked at."),
)
PROXY_REFUSED = Kind(
    "proxy-refused",
    Severity.ERROR,
    Phrase("%(map)s goes through proxymap, and proxy_read_maps does not list it."),
    Phrase("Postfix refuses to ask it: mail waits, or is refused."),
)
THROUGH_PROXY = Kind(
    "through-proxy",
    Severity.OK,
    Phrase("The maps go through proxymap: fewer connections to the database."),
    Phrase("The answers are the same."),
)
NO_ALIAS_MAP = Kind(
    "no-alias-map",
    Severity.ERROR,
    Phrase("No map of virtual_alias_maps asks the aliases."),
    ALIASES.bad,
)
REVERSED = Kind(
    "maps-reversed",
    Severity.ERROR,
    Phrase("virtual_alias_maps asks the email2email map before the alias map."),
    Phrase(
        "Aliases with a mailbox's address never work, so mail is not forwarded. Other aliases do."
    ),
)
WITH_EMAIL2EMAIL = Kind(
    "with-email2email",
    Severity.OK,
    Phrase("virtual_alias_maps asks the alias map and then the email2email map."),
    Phrase("A catch-all takes only mail to addresses that are not there."),
)
WITHOUT_EMAIL2EMAIL = Kind(
    "without-email2email",
    Severity.OK,
    Phrase("virtual_alias_maps asks the alias map, and no email2email map."),
    Phrase(
        "A catch-all takes the mail of its domain's users too, but for those with an alias to "
        "themselves."
    ),
)


@dataclass
class Lookups:
    """What was found out about the maps; ``has_email2email`` is None if it is not known."""

    findings: list[Finding] = field(default_factory=list)
    has_email2email: bool | None = None


def right_lines() -> dict[str, str]:
    """The lines for main.cf, as the guides have them."""

    def path(role: Role) -> str:
        return f"mysql:{MAPS_FOLDER}/{USUAL_NAMES[role]}"

    return {
        "virtual_mailbox_domains": f"virtual_mailbox_domains = {path(DOMAINS)}",
        "virtual_mailbox_maps": f"virtual_mailbox_maps = {path(MAILBOXES)}",
        "virtual_alias_maps": f"virtual_alias_maps = {path(ALIASES)}, {path(EMAIL2EMAIL)}",
    }


def judge(main: Parameters, files: MapFiles, panel: Panel) -> Lookups:
    """The three lists of maps, each map's question, and the order."""
    lookups = Lookups()
    names = {
        parameter: [map_name(item) for item in main.items_of(parameter)]
        for parameter in right_lines()
    }
    roles: list[Role | None] = []
    for parameter, role in (
        ("virtual_mailbox_domains", DOMAINS),
        ("virtual_mailbox_maps", MAILBOXES),
    ):
        lookups.findings += _list(main, parameter, names[parameter], role)
        for name in names[parameter]:
            lookups.findings += _map(main.where, parameter, name, role, files, panel)
    lookups.findings += _list(main, "virtual_alias_maps", names["virtual_alias_maps"], ALIASES)
    for name in names["virtual_alias_maps"]:
        if name.is_sql:
            map_file = files.find(name, None)
            roles.append(map_file.role if map_file else None)
            wanted = EMAIL2EMAIL if roles[-1] in (EMAIL2EMAIL, MAILBOXES) else ALIASES
            lookups.findings += _map(
                main.where, "virtual_alias_maps", name, wanted, files, panel, map_file
            )
    lookups.findings += _order(main.where, roles)
    lookups.has_email2email = _has_email2email(roles)
    asked = [
        file for listed in names.values() for name in listed if (file := files.find(name, None))
    ]
    for map_file in files.all:
        if map_file.name and map_file not in asked:
            lookups.findings.append(found(MAP_NOT_ASKED, map_file.name))
    lookups.findings += _proxied(main, [name for listed in names.values() for name in listed])
    return lookups


def judge_alone(files: MapFiles, panel: Panel) -> Lookups:
    """The maps without main.cf: each by what it asks; their order is not known."""
    lookups = Lookups()
    for map_file in files.all:
        lookups.findings += maps.judge(map_file, map_file.role or ALIASES, panel)
    if any(map_file.role is EMAIL2EMAIL for map_file in files.all):
        lookups.has_email2email = True
    return lookups


def _list(main: Parameters, parameter: str, names: list[MapName], role: Role) -> Iterator[Finding]:
    """Whether a list asks the database at all, and what else it asks."""
    if not names:
        yield found(
            NOT_SET, main.where, right_lines()[parameter], means=role.bad, parameter=parameter
        )
        return
    others = [name.written for name in names if not name.is_sql]
    if len(others) == len(names):
        yield found(
            NOT_THE_DATABASE, main.where, right_lines()[parameter], parameter=parameter, map=others
        )
    elif others:
        yield found(BESIDE_THE_DATABASE, main.where, parameter=parameter, map=others)


def _map(
    where: str,
    parameter: str,
    name: MapName,
    role: Role,
    files: MapFiles,
    panel: Panel,
    known: MapFile | None = None,
) -> Iterator[Finding]:
    """One map that a list names."""
    if not name.is_sql:
        return
    if not name.name.startswith(("/", ".")):
        yield found(MAP_IN_MAIN_CF, where, map=name.written)
        return
    map_file = known or files.find(name, role)
    if map_file is None:
        yield found(
            MAP_NOT_GIVEN, where, f"tail -n +1 {name.name}", parameter=parameter, map=name.written
        )
    else:
        yield from maps.judge(map_file, role, panel)


def _order(where: str, roles: list[Role | None]) -> Iterator[Finding]:
    """In which order the alias list asks; nothing where a map is not known."""
    right = right_lines()["virtual_alias_maps"]
    known = [role for role in roles if role]
    if ALIASES in known and EMAIL2EMAIL in known:
        is_reversed = known.index(EMAIL2EMAIL) < known.index(ALIASES)
        yield found(REVERSED, where, right) if is_reversed else found(WITH_EMAIL2EMAIL, where)
    elif roles and None not in roles:
        is_there = ALIASES in known
        yield found(WITHOUT_EMAIL2EMAIL, where) if is_there else found(NO_ALIAS_MAP, where, right)


def _has_email2email(roles: list[Role | None]) -> bool | None:
    if EMAIL2EMAIL in roles:
        return True
    return False if ALIASES in roles and None not in roles else None


def _proxied(main: Parameters, names: list[MapName]) -> Iterator[Finding]:
    proxied = [name for name in names if name.is_proxied]
    listed = main.items_of("proxy_read_maps")
    for name in proxied:
        if "proxy_read_maps" in main and name.written not in listed:
            yield found(
                PROXY_REFUSED,
                main.where,
                "proxy_read_maps = $virtual_alias_maps $virtual_mailbox_maps "
                "$virtual_mailbox_domains …",
                map=name.written,
            )
    if proxied:
        yield found(THROUGH_PROXY, main.where)
