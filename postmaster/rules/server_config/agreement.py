"""What has to be the same on two sides: Postfix, Dovecot, and PostMaster's settings."""

from collections.abc import Iterator, Sequence

from ...errors import Phrase
from ..settings import EMAIL2EMAIL_MAP, MAIL_FOLDER, RECIPIENT_DELIMITER
from . import dovecot
from .dovecot_syntax import Block
from .findings import Finding, Kind, Severity, found
from .panel import Panel
from .postfix_syntax import Parameters

QUEUE_FOLDER = "/var/spool/postfix"

SETTING_DIFFERS = Kind(
    "setting-differs",
    Severity.ERROR,
    Phrase("PostMaster's setting %(setting)s is %(present)s. For this server it is %(right)s."),
)
LESSER_SETTING_DIFFERS = Kind(
    "lesser-setting-differs",
    Severity.WARNING,
    Phrase("PostMaster's setting %(setting)s is %(present)s. For this server it is %(right)s."),
)
CATCH_ALLS_UNNOTICED = Phrase(
    "PostMaster does not warn of catch-alls, which take the mail of the domain's users here."
)
CATCH_ALLS_OVERRATED = Phrase(
    "PostMaster says of catch-alls that they take the users' mail too. On this server they do not."
)
TRACED_OTHERWISE = Phrase(
    "What PostMaster says of addresses with an extension is not what the mail server does."
)
MOVED_OTHERWISE = Phrase("The commands for moving a mailbox, which PostMaster shows, do not fit.")
OTHER_SOCKET = Kind(
    "other-socket",
    Severity.WARNING,
    Phrase("Postfix's %(parameter)s leads to %(path)s, and Dovecot listens at %(sockets)s."),
    Phrase("If these are not the same file, mail waits, or nobody can sign in to send."),
)
DELIMITERS_DIFFER = Kind(
    "delimiters-differ",
    Severity.ERROR,
    Phrase("recipient_delimiter is %(postfix)s for Postfix and %(dovecot)s for Dovecot."),
    Phrase("Postfix takes mail to an address with the one, and Dovecot then refuses it."),
)


def with_settings(
    main: Parameters | None,
    other: Block | None,
    panel: Panel,
    has_email2email: bool | None,
    folder: str | None,
) -> Iterator[Finding]:
    """Whether PostMaster's settings say what the mail server does, as far as that is known."""
    if has_email2email is not None and has_email2email != panel.email2email:
        yield found(
            SETTING_DIFFERS,
            main.where if main else "main.cf",
            f"{EMAIL2EMAIL_MAP.name} = {has_email2email}",
            means=CATCH_ALLS_OVERRATED if has_email2email else CATCH_ALLS_UNNOTICED,
            setting=EMAIL2EMAIL_MAP.name,
            present=str(panel.email2email),
            right=str(has_email2email),
        )
    delimiter = (main.get("recipient_delimiter") or "none") if main else None
    # The setting holds one character only.
    if main and delimiter and (delimiter == "none" or len(delimiter) == 1):
        yield from _lesser(
            main.where, RECIPIENT_DELIMITER.name, panel.delimiter, delimiter, TRACED_OTHERWISE
        )
    if other and folder:
        where = dovecot.where_folder(other)
        yield from _lesser(where, MAIL_FOLDER.name, panel.mail_folder, folder, MOVED_OTHERWISE)


def _lesser(
    where: str, setting: Phrase, present: str | None, right: str, means: Phrase
) -> Iterator[Finding]:
    if present is not None and present.rstrip("/") != right:
        yield found(
            LESSER_SETTING_DIFFERS,
            where,
            f"{setting} = {right}",
            means=means,
            setting=setting,
            present=present,
            right=right,
        )


def of_postfix_and_dovecot(main: Parameters | None, other: Block | None) -> Iterator[Finding]:
    """Whether Postfix and Dovecot meet at the same sockets, and cut addresses alike."""
    if main is None or other is None:
        return
    transport = main.get("virtual_transport")
    if transport.startswith("lmtp:unix:"):
        path = transport.removeprefix("lmtp:unix:")
        yield from _socket(main, "virtual_transport", path, dovecot.sockets(other, "lmtp"))
    if main.get("smtpd_sasl_type") == "dovecot" and main.get("smtpd_sasl_path"):
        path = main.get("smtpd_sasl_path").removeprefix("unix:")
        if not path.startswith("inet:"):
            yield from _socket(main, "smtpd_sasl_path", path, dovecot.sockets(other, "auth"))
    delimiter, dovecots = main.get("recipient_delimiter"), other.get("recipient_delimiter", "+")
    if delimiter and set(delimiter) != set(dovecots):
        yield found(
            DELIMITERS_DIFFER,
            main.where,
            f"recipient_delimiter = {delimiter}",
            postfix=delimiter,
            dovecot=dovecots,
        )


def _socket(
    main: Parameters, parameter: str, path: str, sockets: Sequence[str]
) -> Iterator[Finding]:
    folder = main.get("queue_directory", QUEUE_FOLDER).rstrip("/")
    full = path if path.startswith("/") else f"{folder}/{path}"
    if sockets and full not in sockets:
        yield found(OTHER_SOCKET, main.where, parameter=parameter, path=full, sockets=list(sockets))
