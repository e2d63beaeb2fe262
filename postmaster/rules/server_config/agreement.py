"""What has to be the same on two sides: Postfix, Dovecot, and PostMaster's settings."""

from collections.abc import Iterator
from typing import Any

from ...errors import Phrase
from ..settings import EMAIL2EMAIL_MAP, MAIL_FOLDER, NO_DELIMITER, RECIPIENT_DELIMITER, Setting
from .dovecot_syntax import Block
from .findings import Finding, Kind, OwnSetting, Severity, found
from .panel import Panel
from .postfix_syntax import Parameters

PANEL = "PostMaster"  # where a setting of its own stands

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
    """Whether PostMaster's settings say what the mail server does, as far as that is known.

    Only the one that hides lost mail is an error: with the others too careful or too short,
    the mail goes its way.
    """
    if has_email2email is not None and has_email2email != panel.email2email:
        yield _differs(
            LESSER_SETTING_DIFFERS if has_email2email else SETTING_DIFFERS,
            EMAIL2EMAIL_MAP,
            panel,
            str(panel.email2email),
            str(has_email2email),
            CATCH_ALLS_OVERRATED if has_email2email else CATCH_ALLS_UNNOTICED,
        )
    delimiter = (main.get("recipient_delimiter") or NO_DELIMITER) if main else None
    for setting, present, right, means in (
        (RECIPIENT_DELIMITER, panel.delimiter, delimiter, TRACED_OTHERWISE),
        (MAIL_FOLDER, panel.mail_folder, folder if other else None, MOVED_OTHERWISE),
    ):
        if present is None or right is None or present.rstrip("/") == right:
            continue
        if setting.takes(right):
            yield _differs(LESSER_SETTING_DIFFERS, setting, panel, present, right, means)


def _differs(
    kind: Kind, setting: Setting[Any], panel: Panel, present: str, right: str, means: Phrase
) -> Finding:
    return found(
        kind,
        PANEL,
        means=means,
        own_setting=OwnSetting(panel.setting_ids.get(setting.name), setting.name, right),
        setting=setting.name,
        present=present,
        right=right,
    )


def of_postfix_and_dovecot(main: Parameters | None, other: Block | None) -> Iterator[Finding]:
    """Whether Postfix and Dovecot cut addresses alike."""
    if main is None or other is None:
        return
    delimiter, dovecots = main.get("recipient_delimiter"), other.get("recipient_delimiter", "+")
    if delimiter and set(delimiter) != set(dovecots):
        yield found(
            DELIMITERS_DIFFER,
            main.where,
            f"recipient_delimiter = {delimiter}",
            postfix=delimiter,
            dovecot=dovecots,
        )
