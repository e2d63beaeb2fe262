"""What becomes of each line, and why: as the acts would have it, and so it is done."""

from typing import Any

import pytest

from postmaster.db import db
from postmaster.models import Alias, Domain, SettingRow, User
from postmaster.rules import passwords, settings
from postmaster.rules.imports.ranks import Ranks
from postmaster.rules.suspensions import MARKER, Mode
from tests.rules.bulk import ANOTHER_HASH, HASH, plan, run, said
from tests.rules.mail import by_hand, fill, rows_now

KEEPS = "skip: It is there already and keeps its password"
UNKNOWN = (
    'The destination "nobody@one.example" is not a current email address: there is no such '
    "user or alias"
)


@pytest.fixture
def mail(context: None) -> None:
    fill()


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("domain,Three.example,,,,,", "create"),
        ("domain,ONE.example,,,,,", "skip: It is there already"),
        ("domain,three,,,,,", 'error: "three" is not a valid domain name'),
        ("domain,,,,,,", "error: The domain name was not specified"),
        ("user,New@one.example,,a password,,,", "create"),
        (f"user,new@one.example,,,{HASH},,", "create"),
        (f"user,new@one.example,,,{ANOTHER_HASH},sign-in,", "create"),
        ("user,new@one.example,,,,,", "error: The user has neither a password nor a hash"),
        ("user,new@one.example,,short,,,", "error: The password must be at least 8"),
        ("user,new@one.example,,,secret hash,,", "error: This is no password hash"),
        ("user,new@one.example,,,plainsecret,,", "error: This is no password hash"),
        (f"user,new@one.example,,,{HASH}x,,", "error: The password hash is too long"),
        (f"user,new@one.example,,,{HASH},gone,", "error: Suspended must be one of"),
        ("user,new@three.example,,a password,,,", 'error: The domain "three.example" is not man'),
        ("user,new+x@one.example,,a password,,,", "error: "),
        ("user,,,a password,,,", "error: The email address was not specified"),
        ("user,ANA@one.example,,a password,,,", KEEPS),
        ("user,ana@one.example,,,,,", "skip: It is there already"),
        ("user,team@one.example,,a password,,,", 'conflict: "team@one.example" already exists as'),
        ("alias,new@one.example,ana@one.example,,,,", "create"),
        ("alias,new@one.example,team@one.example,,,,", "create"),
        ("alias,@one.example,ana@one.example,,,,", "create"),
        ("alias,Team@one.example,ANA@one.example,,,,", "skip: It is there already"),
        ("alias,new@one.example,nobody@one.example,,,,", f"error: {UNKNOWN}"),
        ("alias,new@one.example,x@else.example,,,,", 'error: The domain "else.example" of the des'),
        ("alias,new@three.example,ana@one.example,,,,", 'error: The domain "three.example" is not'),
        ("alias,new@one.example,,,,,", "error: The destination email was not specified"),
        ("alias,,ana@one.example,,,,", "error: The source email was not specified"),
        ("alias,ana@one.example,eva@two.example,,,,", 'conflict: The source "ana@one.example" is'),
        ("alias,ana@one.example,ana@one.example,,,,", "create"),
        ("alias,bob@one.example,ana@one.example,,,,", "create"),
        ("alias,sales@two.example,all@two.example,,,,", "conflict: The alias "),
        (f"domain,three.example,,,,,{'x' * 1001}", "error: The note is too long"),
        ("thing,three.example,,,,,", "error: The kind must be domain, user or alias"),
    ],
)
def test_what_becomes_of_a_line(mail: None, line: str, verdict: str) -> None:
    before = rows_now()
    (planned,) = plan(f"{line}\n")
    [(number, words)] = said([planned]).items()
    assert number == 2
    assert words.startswith(verdict)
    assert rows_now() == before, "a plan writes nothing"
    done, _record = run(f"{line}\n")
    assert done == [planned], "what is planned is what is done"
    assert (rows_now() != before) == (planned.verdict == "create")


IN_ANY_ORDER = f"""\
alias,all@new.example,team@new.example,,,,
alias,team@new.example,ana@new.example,,,,
alias,bob@new.example,ana@new.example,,,,
alias,bob@new.example,bob@new.example,,,,
user,ana@new.example,,,{HASH},,
user,bob@new.example,,,{HASH},,
domain,new.example,,,,,
"""


def test_the_order_of_the_lines_does_not_matter(context: None) -> None:
    lines = IN_ANY_ORDER.splitlines(keepends=True)
    for text in ("".join(lines), "".join(reversed(lines))):
        assert {line.verdict for line in plan(text)} == {"create"}
    done, _record = run(IN_ANY_ORDER)
    assert done == plan_before(done)
    assert {line.verdict for line in done} == {"create"}
    found = rows_now()
    assert [len(found[table]) for table in ("virtual_domains", "virtual_users")] == [1, 2]
    assert len(found["virtual_aliases"]) == 4
    assert {line.verdict for line in plan(IN_ANY_ORDER)} == {"skip"}


def plan_before(done: Any) -> Any:
    """The order in which lines are done: domains, users, aliases."""
    return sorted(done, key=lambda line: ["domain", "user", "alias"].index(line.kind))


def test_circles_within_the_file_are_found(mail: None) -> None:
    text = """\
alias,a@one.example,b@one.example,,,,
alias,b@one.example,c@one.example,,,,
alias,c@one.example,a@one.example,,,,
alias,c@one.example,ana@one.example,,,,
alias,x@one.example,y@one.example,,,,
alias,y@one.example,x@one.example,,,,
"""
    words = said(plan(text))
    refused = {number for number, word in words.items() if word != "create"}
    assert {6, 7} <= refused, "nothing leads out of it"
    assert len(refused & {2, 3, 4}) == 1, "one of them closes the circle"
    assert "circle" in " ".join(words.values())
    assert 5 not in refused
    assert said(run(text)[0]) == words


def test_a_catch_all_of_the_file_counts_for_its_circles(mail: None) -> None:
    text = """\
alias,@one.example,a@two.example,,,,
alias,a@two.example,gone@one.example,,,,
alias,gone@one.example,ana@one.example,,,,
"""
    words = said(plan(text))
    assert said(run(text)[0]) == words
    assert words[4] == "create"


def test_the_same_twice_is_skipped_and_a_contradiction_refused(context: None) -> None:
    text = f"""\
domain,new.example,,,,,
domain,New.example,,,,,
user,ana@new.example,,,{HASH},,
user,Ana@new.example,,,{HASH},,
user,ana@new.example,,,{ANOTHER_HASH},,
alias,a@new.example,ana@new.example,,,,
alias,A@new.example,ana@new.example,,,,
"""
    words = said(plan(text))
    assert words[3] == "skip: Line 2 says the same already"
    assert words[5] == "skip: Line 4 says the same already"
    assert words[6] == "conflict: Line 4 says something else of it already"
    assert words[8] == "skip: Line 7 says the same already"
    assert said(run(text)[0]) == words


def test_missing_domains_are_made_if_wanted(context: None) -> None:
    text = f"""\
user,ana@new.example,,,{HASH},,
alias,@München.example,ana@new.example,,,,
domain,named.example,,,,,
user,bob@named.example,,,{HASH},,
"""
    assert [word.partition(":")[0] for word in said(plan(text)).values()].count("error") == 2
    lines = plan(text, create_domains=True)
    assert {line.verdict for line in lines} == {"create"}
    names = {line.name for line in lines if line.kind == "domain"}
    assert names == {"new.example", "named.example", "xn--mnchen-3ya.example"}
    assert run(text, create_domains=True)[0] == lines
    assert {line.kind for line in plan(text, create_domains=True)} == {"domain", "user", "alias"}


def test_a_catch_all_says_which_mailboxes_it_takes_the_mail_of(mail: None) -> None:
    text = "alias,@One.example,bob@one.example,,,,\nalias,@two.example,bob@one.example,,,,\n"
    takes = "create: The catch-all takes the mail of "
    assert said(plan(text)) == {
        2: f"{takes}the mailbox ana@one.example: it goes to bob@one.example",
        3: f"{takes}2 mailboxes: it goes to bob@one.example",
    }
    own = "".join(f"alias,{name},{name},,,,\n" for name in ("ANA@one.example", "new@one.example"))
    users = f"user,new@one.example,,,{HASH},,\nuser,b@two.example,,,{HASH},,\n"
    slept = f"user,s@two.example,,,{HASH},all,\n"
    words = said(plan(text + own + users + slept))
    assert words[2] == "create", "each has a row of its own, be it after"
    assert words[3] == f"{takes}3 mailboxes: it goes to bob@one.example"
    by_hand_setting(settings.EMAIL2EMAIL_MAP.name, "True")
    assert set(said(plan(text)).values()) == {"create"}


def test_destinations_elsewhere_obey_the_setting(mail: None) -> None:
    text = "alias,new@one.example,x@else.example,,,,\n"
    assert "permits destinations elsewhere" in said(plan(text))[2]
    by_hand_setting("Allow External Alias Destinations", "True")
    assert said(plan(text)) == {2: "create"}


def by_hand_setting(name: str, value: str) -> None:
    db.session.remove()
    db.session.query(SettingRow).filter_by(setting=name).update({"value": value})
    db.session.commit()


def test_an_address_that_only_the_database_takes_for_equal_is_there(
    context: None, app: Any
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite tells accents apart")
    by_hand(
        Domain(id=1, name="one.example"),
        User(id=1, domain_id=1, email="Änna@one.example", password=HASH),
        Alias(id=1, domain_id=1, source="Büro@one.example", destination="Änna@one.example"),
    )
    words = said(plan(f"user,anna@one.example,,,{HASH},,\nuser,buro@one.example,,,{HASH},,\n"))
    assert words[2] == KEEPS
    assert words[3].startswith("conflict")


def test_suspended_users_are_there(mail: None) -> None:
    db.session.query(User).filter_by(id=11).update({"password": MARKER})
    db.session.query(User).filter_by(id=22).update({"email": "!eva@two.example"})
    db.session.commit()
    text = f"""\
user,ana@one.example,,,{HASH},,
user,eva@two.example,,,{HASH},,
alias,new@one.example,eva@two.example,,,,
"""
    words = said(plan(text))
    assert words[2] == words[3] == KEEPS
    assert words[4] == "create", "an export has such aliases"


def test_a_suspended_user_is_made_suspended(mail: None) -> None:
    run(f"user,new@one.example,,,{HASH},{Mode.ALL},\nuser,x@one.example,,a password,sign-in,\n")
    run(f"user,old@one.example,,,{HASH},{Mode.SIGN_IN},\n")
    stored = {email: password for _id, _domain, password, email in rows_now()["virtual_users"]}
    assert stored["!new@one.example"] == MARKER
    assert stored["old@one.example"] == MARKER


def test_hashes_that_are_told_from_others() -> None:
    hashed = passwords.hash_for_mail("a password")
    for stored in (hashed, f"{{SHA512-CRYPT}}{hashed}", f"{{crypt}}{hashed}"):
        assert passwords.matches_mail("a password", stored)
        assert not passwords.matches_mail("another one", stored)
    for odd in ("", "{PLAIN}a password", hashed[:-1], "$6$", "!", ANOTHER_HASH):
        assert not passwords.matches_mail("a password", odd)


@pytest.mark.parametrize(
    ("pairs", "ranks"),
    [
        ([], {}),
        (["ab", "ac", "xy"], {}),
        (["ab", "bc", "cd"], {0: 2, 1: 1}),
        (["ax", "aa"], {0: 1}),
        (["ba", "ax", "aa"], {0: 2, 1: 1}),
        (["ab", "ba", "bx"], {2: 1, 0: 2, 1: 3}),
        (["ab", "ba"], {0: 1, 1: 1}),
    ],
)
def test_aliases_come_after_what_they_lead_to(pairs: list[str], ranks: dict[int, int]) -> None:
    found = Ranks()
    for source, destination in pairs:
        found.add(source, destination)
    assert found.of_rows() == ranks
