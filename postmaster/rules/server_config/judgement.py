"""All texts together: what they are, what is missing, and what is wrong."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...errors import Phrase
from . import (
    agreement,
    dovecot,
    dovecot_sql,
    dovecot_syntax,
    lookups,
    main_cf,
    maps,
    postfix_syntax,
    sockets,
    texts,
)
from .dovecot_syntax import Block
from .findings import Finding, Kind, ReadText, Report, Severity, found, sorted_by_severity
from .panel import Panel
from .postfix_syntax import Parameters
from .texts import Text, TextKind

NOT_RECOGNISED = Kind(
    "not-recognised",
    Severity.ERROR,
    Phrase("This text is neither of Postfix nor of Dovecot, or has nothing that is needed here."),
    Phrase("It was not looked at."),
)
EMPTY = Kind(
    "empty",
    Severity.WARNING,
    Phrase("There is nothing in it but comments."),
    Phrase("The mail server uses its own defaults, which are not the guides'."),
)
NO_MAIN_CF = Kind(
    "no-main-cf",
    Severity.WARNING,
    Phrase("Postfix's settings were not given."),
    Phrase("Which maps are asked, and in which order, is not known. This prints them:"),
)
NO_MAPS = Kind(
    "no-maps",
    Severity.WARNING,
    Phrase("Postfix's maps were not given."),
    Phrase("What Postfix asks the database is not known. This prints them:"),
)
NO_DOVECOT_SQL = Kind(
    "no-dovecot-sql",
    Severity.WARNING,
    Phrase("Dovecot's SQL file was not given."),
    Phrase("Whether Dovecot reads PostMaster's passwords is not known. This prints it:"),
)
NO_DOVECOT = Kind(
    "no-dovecot",
    Severity.WARNING,
    Phrase("Dovecot's settings were not given."),
    Phrase("Who may sign in, and where mailboxes are, is not known. This prints them:"),
)


@dataclass(frozen=True)
class Server:
    """The mail server's configuration, read; without any password."""

    read_texts: tuple[ReadText, ...]
    findings: tuple[Finding, ...]
    main: Parameters | None
    maps: maps.MapFiles
    sql: Block | None
    dovecot: Block | None

    @property
    def asked_domains(self) -> frozenset[str]:
        """Domains that Postfix takes for other uses; are they in the table too?"""
        return main_cf.names_of_domains(self.main) if self.main else frozenset()


def read(given: Iterable[Text]) -> Server:
    """Read the texts. Whatever is in them, this raises nothing."""
    found_kinds = [(text, texts.kind_of(text.content)) for text in texts.split(given)]
    findings = []
    for text, kind in found_kinds:
        if kind is TextKind.UNKNOWN:
            findings.append(found(NOT_RECOGNISED, text.name))
        elif kind is TextKind.EMPTY and text.content.strip():
            findings.append(found(EMPTY, text.name))

    def of(wanted: TextKind) -> list[Text]:
        return [text for text, kind in found_kinds if kind is wanted]

    main_texts = of(TextKind.MAIN_CF)
    main = None
    if main_texts:
        content = "\n".join(text.content for text in main_texts)
        name = main_texts[0].name or "main.cf"
        main = postfix_syntax.read(name, content, main_cf.WANTED)
    return Server(
        tuple(
            ReadText(text.name, kind.value)
            for text, kind in found_kinds
            if kind is not TextKind.EMPTY or text.content.strip()
        ),
        tuple(findings),
        main,
        maps.MapFiles(maps.read_map(text) for text in of(TextKind.MAP)),
        _dovecot(of(TextKind.DOVECOT_SQL), "dovecot-sql.conf.ext"),
        _dovecot(of(TextKind.DOVECOT), "dovecot.conf"),
    )


def _dovecot(given: Sequence[Text], usual_name: str) -> Block | None:
    named = [Text(text.name or usual_name, text.content) for text in given]
    return dovecot_syntax.read(named) if named else None


def judge(server: Server, panel: Panel) -> Report:
    """Everything that can be said of this configuration."""
    found_maps = (
        lookups.judge(server.main, server.maps, panel)
        if server.main
        else lookups.judge_alone(server.maps, panel)
    )
    has_email2email = found_maps.has_email2email
    folder = dovecot.mail_folder(server.dovecot) if server.dovecot else None
    is_known = folder is not None and folder.startswith("/")
    findings = [
        *server.findings,
        *_missing(server),
        *found_maps.findings,
        *agreement.with_settings(
            server.main, server.dovecot, panel, has_email2email, folder if is_known else None
        ),
        *(main_cf.judge(server.main, panel) if server.main else ()),
        *_dovecot_findings(server, panel),
        *agreement.of_postfix_and_dovecot(server.main, server.dovecot),
        *sockets.judge(server.main, server.dovecot),
    ]
    return Report(
        sorted_by_severity(findings),
        server.read_texts,
        has_email2email,
        folder if is_known else None,
    )


def _missing(server: Server) -> Iterator[Finding]:
    if server.main is None:
        yield found(NO_MAIN_CF, "main.cf", "postconf -n")
    if not server.maps.all:
        yield found(NO_MAPS, "mysql-*.cf", "tail -n +1 /etc/postfix/mysql-*.cf")
    has_queries = server.dovecot is not None and dovecot.is_24(server.dovecot)
    if server.sql is None and not has_queries:
        yield found(NO_DOVECOT_SQL, "dovecot-sql.conf.ext", "cat /etc/dovecot/dovecot-sql.conf.ext")
    if server.dovecot is None:
        yield found(NO_DOVECOT, "dovecot.conf", "doveconf -n")


def _dovecot_findings(server: Server, panel: Panel) -> Iterator[Finding]:
    if server.sql:
        asks = dovecot.userdb_asks(server.dovecot) if server.dovecot else None
        yield from dovecot_sql.judge(server.sql, panel, userdb_asks=asks)
    if server.dovecot:
        yield from dovecot.judge(server.dovecot, panel, by_lmtp=_by_lmtp(server.main))


def _by_lmtp(main: Parameters | None) -> bool:
    return main is not None and main.get("virtual_transport").startswith("lmtp")
