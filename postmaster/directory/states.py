"""Whether an account is disabled, locked or expired, as its own attributes say."""

from datetime import UTC, datetime, timedelta

from ..errors import Phrase
from .binding import ASK_THERE, DISABLED, EXPIRED, LOCKED, PASSWORD_EXPIRED, UNLOCK_THERE
from .entries import Entry
from .faults import Refused
from .kinds import Kind

# userAccountControl and msDS-User-Account-Control-Computed (MS-ADTS 2.2.16).
ACCOUNT_DISABLE, LOCKOUT, EXPIRED_PASSWORD = 0x2, 0x10, 0x800000
# accountExpires counts tenths of microseconds since 1601; these mean never (MS-ADA1 2.2).
FILETIME_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)
NEVER = (0, 0x7FFFFFFFFFFFFFFF)
DAYS_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
GENERALIZED_TIME = ("%Y%m%d%H%M%SZ", "%Y%m%d%H%M%S.%fZ", "%Y%m%d%H%MZ")

COMPUTED = "msDS-User-Account-Control-Computed"
ATTRIBUTES: dict[Kind, tuple[str, ...]] = {
    Kind.ACTIVE_DIRECTORY: ("userAccountControl", COMPUTED, "accountExpires", "pwdLastSet"),
    Kind.OPENLDAP: ("pwdAccountLockedTime", "pwdEndTime", "shadowExpire"),
    Kind.FREEIPA: ("nsAccountLock", "krbPrincipalExpiration"),
}


def refusal(kind: Kind, entry: Entry) -> Refused | None:
    """Why somebody with the right password is not to be let in; None if nothing is wrong."""
    sentence = _active(entry) if kind is Kind.ACTIVE_DIRECTORY else _others(entry)
    if sentence is None:
        return None
    return Refused(sentence, UNLOCK_THERE if sentence is LOCKED else ASK_THERE)


def is_locked(kind: Kind, entry: Entry) -> bool:
    """Whether the directory itself keeps this account out for a while."""
    return kind is not Kind.ACTIVE_DIRECTORY and _others(entry) is LOCKED


def _active(entry: Entry) -> Phrase | None:
    flags = entry.number("userAccountControl") | entry.number(COMPUTED)
    expires = entry.number("accountExpires")
    if flags & ACCOUNT_DISABLE:
        return DISABLED
    if flags & LOCKOUT:
        return LOCKED
    if expires not in NEVER and _filetime(expires) <= datetime.now(UTC):
        return EXPIRED
    if flags & EXPIRED_PASSWORD:
        return PASSWORD_EXPIRED
    return None


def _others(entry: Entry) -> Phrase | None:
    if entry.text("nsAccountLock").upper() == "TRUE":
        return DISABLED
    if entry.text("pwdAccountLockedTime"):
        return LOCKED
    last_day = entry.number("shadowExpire")
    days = (datetime.now(UTC) - DAYS_BEGIN).days
    ends = [entry.text("krbPrincipalExpiration"), entry.text("pwdEndTime")]
    if (0 < last_day <= days) or any(_is_over(end) for end in ends if end):
        return EXPIRED
    return None


def _filetime(tenths: int) -> datetime:
    try:
        return FILETIME_BEGIN + timedelta(microseconds=tenths // 10)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _is_over(generalized: str) -> bool:
    """Whether a moment (RFC 4517, 3.3.13) has passed; one that cannot be read has."""
    for form in GENERALIZED_TIME:
        try:
            return datetime.strptime(generalized, form).replace(tzinfo=UTC) <= datetime.now(UTC)
        except ValueError:
            continue
    return True
