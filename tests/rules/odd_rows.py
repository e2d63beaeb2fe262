"""Rows that a checkup finds something odd in: for each of its findings the rows that provoke it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from postmaster.models import Alias, Domain, User
from tests.rules.mail import by_hand

GOOD_HASH = (
    "$6$Ks9mYx2LwQ7cVb4T$PTHoRoELTxjigMyt6LVkLzxBlpN6/sdcpfhKzu28KVRQ/PAugYhmUmwWHiifS4TqH16O4B9Sr"
    "Ujl4elQ5bz.n."
)
MD5_HASH = "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"
TEAM = "team@one.example"
ANA, BOB = "ana@one.example", "bob@one.example"


def fill_well() -> None:
    """Two domains, three mailboxes, three aliases, in which nothing is odd."""
    by_hand(
        Domain(id=1, name="one.example"),
        Domain(id=2, name="two.example"),
        user(11, ANA),
        user(12, BOB),
        user(21, "eva@two.example", domain_id=2),
        alias(101, TEAM, ANA),
        alias(102, TEAM, BOB),
        alias(201, "@two.example", "eva@two.example", domain_id=2),
    )


def user(number: int, email: str, *, domain_id: int = 1, password: str = GOOD_HASH) -> User:
    return User(id=number, domain_id=domain_id, email=email, password=password)


def alias(number: int, source: str, destination: str, *, domain_id: int = 1) -> Alias:
    return Alias(id=number, domain_id=domain_id, source=source, destination=destination)


@dataclass(frozen=True)
class Case:
    """What a finding is provoked by, and of which ids it is then.

    ``steps`` is what a repair shows for each row, None if there is none; ``left`` the ids of
    those that it leaves. A trailing blank is nothing to MariaDB alone.
    """

    code: str
    rows: Sequence[Any]
    ids: Sequence[int]
    steps: Sequence[tuple[str, str]] | None = None
    left: Sequence[int] = ()
    mariadb_only: bool = False


GONE = "gone@one.example"
CASES = (
    Case(
        "domain-never-found",
        [Domain(id=3, name=" three.example"), Domain(id=4, name="four.example\t")],
        [3, 4],
        [(" three.example", "three.example"), ("four.example\t", "four.example")],
    ),
    Case("domain-never-found", [Domain(id=3, name="\tno domain")], [3], [], [3]),
    Case(
        "domain-unusable",
        [Domain(id=3, name="b\u00fccher.example"), Domain(id=4, name="")],
        [3, 4],
    ),
    Case(
        "domain-double",
        [
            Domain(id=3, name="one.example"),
            user(31, "lea@one.example", domain_id=3),
            alias(301, "info@one.example", ANA, domain_id=3),
        ],
        [3],
        [
            ("lea@one.example", "lea@one.example"),
            (f"info@one.example -> {ANA}", f"info@one.example -> {ANA}"),
            ("one.example", ""),
        ],
    ),
    Case(
        "domain-mixed-case",
        [Domain(id=3, name="Three.EXAMPLE"), user(31, "a@three.example", domain_id=3)],
        [3],
        [("Three.EXAMPLE", "three.example")],
    ),
    Case(
        "domain-blank-at-end",
        [Domain(id=3, name="three.example  "), user(31, "a@three.example", domain_id=3)],
        [3],
        [("three.example  ", "three.example")],
    ),
    Case(
        "user-never-found",
        [
            user(31, " lea@one.example"),
            user(32, f" {ANA}"),
            user(33, " team@one.example"),
            user(34, " kim@three.example"),
        ],
        [31, 32, 33, 34],
        [(" lea@one.example", "lea@one.example")],
        [32, 33, 34],
    ),
    Case(
        "user-never-found",
        [user(31, "lea@one.example\t"), user(32, "max@one.example\n")],
        [31, 32],
        [
            ("lea@one.example\t", "lea@one.example"),
            ("max@one.example\n", "max@one.example"),
        ],
    ),
    Case(
        "user-unusable",
        [
            user(31, "ana+news@one.example"),
            user(32, "jos\u00e9@one.example"),
            user(33, "no-address"),
            user(34, "two words@one.example"),
        ],
        [31, 32, 33, 34],
    ),
    Case(
        "user-no-domain",
        [user(31, "a@three.example"), user(32, "b@three.example"), user(33, "a@no_domain")],
        [31, 32, 33],
        [("", "three.example")],
        [33],
    ),
    Case("user-other-domain", [user(31, "a@two.example")], [31], [("a@two.example",) * 2]),
    Case(
        "mailbox-swallowed",
        [user(31, "Kim@Two.example", domain_id=2), user(32, "lea@two.example", domain_id=2)],
        [31, 32],
        [
            ("", "kim@two.example -> kim@two.example"),
            ("", "lea@two.example -> lea@two.example"),
        ],
    ),
    Case("user-mixed-case", [user(31, "Lea@One.example")], [31]),
    Case("user-blank-at-end", [user(31, "lea@one.example ")], [31], mariadb_only=True),
    Case("password-empty", [user(31, "a@one.example", password="")], [31]),
    Case(
        "password-plain",
        [
            user(31, "a@one.example", password="a plain password"),
            user(32, "b@one.example", password="0123456789abcdef0123456789ABCDEF"),
        ],
        [31, 32],
        [("a@one.example",) * 2],
        [32],
    ),
    Case(
        "password-cut",
        [
            user(31, "a@one.example", password=GOOD_HASH[:90]),
            user(32, "b@one.example", password=f"{{BLF-CRYPT}}{MD5_HASH}"[:25]),
        ],
        [31, 32],
    ),
    Case(
        "password-unknown",
        [
            user(31, "a@one.example", password="{ROT13}cnffjbeq"),
            user(32, "b@one.example", password="$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA"),
        ],
        [31, 32],
    ),
    Case(
        "password-weak",
        [
            user(31, "a@one.example", password=MD5_HASH),
            user(32, "b@one.example", password="{PLAIN}a plain password"),
            user(33, "c@one.example", password="abJnggxhB/yWI"),
        ],
        [31, 32, 33],
    ),
    Case(
        "alias-never-found",
        [
            alias(301, " info@one.example", ANA),
            alias(302, f" {BOB}", ANA),
            alias(303, " team@one.example", ANA),
            alias(304, " ring@one.example", "back@one.example"),
            alias(305, "back@one.example", "ring@one.example"),
        ],
        [301, 302, 303, 304],
        [(f" info@one.example -> {ANA}", f"info@one.example -> {ANA}")],
        [302, 303, 304],
    ),
    Case(
        "alias-source-unusable",
        [
            alias(301, "no-address", ANA),
            alias(302, "a, b@one.example", ANA),
            alias(303, "jos\u00e9@one.example", ANA),
        ],
        [301, 302, 303],
    ),
    Case(
        "alias-no-domain",
        [alias(301, "a@three.example", ANA)],
        [301],
        [("", "three.example")],
    ),
    Case(
        "alias-other-domain",
        [alias(301, "a@two.example", ANA), alias(302, "b@two.example", ANA, domain_id=2)],
        [301],
        [(f"a@two.example -> {ANA}",) * 2],
    ),
    Case(
        "destination-empty",
        [alias(301, "a@one.example", ""), alias(302, TEAM, " ")],
        [301, 302],
        [("a@one.example -> ", ""), (f"{TEAM} ->  ", "")],
    ),
    Case("destination-incomplete", [alias(301, "a@one.example", "ana")], [301]),
    Case(
        "destination-list",
        [
            alias(301, "a@one.example", f"{ANA}, {BOB};Kim <Kim@out.example>"),
            alias(302, TEAM, f"{ANA},{BOB}"),
            alias(303, ANA, f"x@out.example,{ANA}"),
            alias(304, "b@one.example", f"{ANA}, not an address"),
        ],
        [301, 302, 303, 304],
        [
            (f"a@one.example -> {ANA}, {BOB};Kim <Kim@out.example>", f"a@one.example -> {ANA}"),
            ("", f"a@one.example -> {BOB}"),
            ("", "a@one.example -> Kim@out.example"),
            (f"{TEAM} -> {ANA},{BOB}", ""),
            (f"{ANA} -> x@out.example,{ANA}", f"{ANA} -> x@out.example"),
            ("", f"{ANA} -> {ANA}"),
        ],
        [304],
    ),
    Case(
        "destination-named",
        [alias(301, "a@one.example", f"Ana <{ANA}>"), alias(302, "b@one.example", "B <b>")],
        [301, 302],
        [(f"a@one.example -> Ana <{ANA}>", f"a@one.example -> {ANA}")],
        [302],
    ),
    Case(
        "destination-unusable",
        [alias(301, "a@one.example", "a b@one.example"), alias(302, TEAM, "jos\u00e9@x.example")],
        [301, 302],
    ),
    Case(
        "alias-dangling",
        [
            alias(301, "old@one.example", GONE),
            alias(302, "older@one.example", "old@one.example"),
            alias(303, GONE, GONE),
            alias(304, "news@one.example", "ana+news@one.example"),
            alias(305, "all@one.example", "team+all@one.example"),
            alias(306, "far@one.example", "gone@out.example"),
            alias(307, "caught@one.example", "gone@two.example"),
        ],
        [301, 303],
        [
            (f"old@one.example -> {GONE}", ""),
            (f"{GONE} -> {GONE}", ""),
            ("older@one.example -> old@one.example", ""),
        ],
    ),
    Case(
        "alias-circle",
        [
            alias(301, "a@one.example", "b@one.example"),
            alias(302, "b@one.example", "c@one.example"),
            alias(303, "c@one.example", "A@one.example"),
            alias(304, "c@one.example", ANA),
            alias(305, "beside@one.example", "a@one.example"),
        ],
        [301, 302, 303],
        [("c@one.example -> A@one.example", "")],
    ),
    Case(
        "alias-over-mailbox",
        [
            alias(301, ANA, "x@out.example"),
            alias(302, BOB, "x@out.example"),
            alias(303, BOB, BOB),
        ],
        [301],
        [("", f"{ANA} -> {ANA}")],
    ),
    Case(
        "alias-double",
        [alias(301, TEAM, ANA), alias(302, "Team@one.example", ANA)],
        [301, 302],
        [(f"{TEAM} -> {ANA}", ""), (f"Team@one.example -> {ANA}", "")],
    ),
    Case(
        "alias-mixed-case",
        [
            alias(301, "Info@one.example", "Ana@one.example"),
            alias(302, "a@one.example", "Kim@Out.example"),
            alias(303, "B@one.example", "Kim@Out.example"),
        ],
        [301, 303],
        [
            ("Info@one.example -> Ana@one.example", f"info@one.example -> {ANA}"),
            ("B@one.example -> Kim@Out.example", "b@one.example -> Kim@Out.example"),
        ],
    ),
    Case(
        "alias-blanks",
        [alias(301, "a@one.example", f" {ANA} "), alias(302, "b@one.example", f"{ANA}\t")],
        [301, 302],
        [
            (f"a@one.example ->  {ANA} ", f"a@one.example -> {ANA}"),
            (f"b@one.example -> {ANA}\t", f"b@one.example -> {ANA}"),
        ],
    ),
)
