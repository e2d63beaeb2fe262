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

# slapo-ppolicy(5): locked by an administrator, and how long other locks mostly last.
LOCKED_FOR_EVER = "000001010000Z"
USUAL_LOCK = timedelta(minutes=15)

COMPUTED = "msDS-User-Account-Control-Computed"
ATTRIBUTES: dict[Kind, tuple[str, ...]] = {
    Kind.ACTIVE_DIRECTORY: ("userAccountControl", COMPUTED, "accountExpires", "pwdLastSet"),
    Kind.OPENLDAP: ("pwdAccountLockedTime", "pwdEndTime", "pwdReset", "shadowExpire"),
    Kind.FREEIPA: ("nsAccountLock", "krbPrincipalExpiration", "krbPasswordExpiration"),
}


def refusal(kind: Kind, entry: Entry, *, has_bound: bool = False) -> Refused | None:
    """Why somebody with the right password is not to be let in; None if nothing is wrong.

    ``has_bound``: the server has just taken the password, so that no lock is left, though
    the entry may have been read with one.
    """
    sentence = _active(entry) if kind is Kind.ACTIVE_DIRECTORY else _others(entry)
    if sentence is None or (sentence is LOCKED and has_bound):
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
    if _is_locked(entry.text("pwdAccountLockedTime")):
        return LOCKED
    last_day = entry.number("shadowExpire")
    days = (datetime.now(UTC) - DAYS_BEGIN).days
    ends = [entry.text("krbPrincipalExpiration"), entry.text("pwdEndTime")]
    if (0 < last_day <= days) or any(_is_over(end) for end in ends if end):
        return EXPIRED
    password_ends = entry.text("krbPasswordExpiration")
    if entry.text("pwdReset").upper() == "TRUE" or (password_ends and _is_over(password_ends)):
        return PASSWORD_EXPIRED
    return None


def _is_locked(since: str) -> bool:
    """Whether a lock of OpenLDAP runs, by when it began; empty: none has.

    The attribute stays when the lock is over, until the next right password, and how long
    locks last is in a policy that is not to be found from here.
    """
    if not since or since == LOCKED_FOR_EVER:
        return bool(since)
    began = _moment(since)
    return began is None or datetime.now(UTC) - began < USUAL_LOCK


def _filetime(tenths: int) -> datetime:
    try:
        return FILETIME_BEGIN + timedelta(microseconds=tenths // 10)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _is_over(generalized: str) -> bool:
    """Whether a moment has passed; one that cannot be read has."""
    moment = _moment(generalized)
    return moment is None or moment <= datetime.now(UTC)


def _moment(generalized: str) -> datetime | None:
    """A moment as directories write it (RFC 4517, 3.3.13)."""
    for form in GENERALIZED_TIME:
        try:
            return datetime.strptime(generalized, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
