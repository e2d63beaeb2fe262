"""What each act would mean for mail, on real tables, said before it is done.

The rows are those of ``mail.py``: team@one leads to ana@one and dora@two, bob@one keeps a copy
and forwards to eva@two, sales@two leads to ana, info to sales, all to info and eva, press to team.
"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert

from postmaster.db import db
from postmaster.models import Alias, Domain, User
from postmaster.rules import affected, aliases, domains, foresight, planned_acts, settings, users
from postmaster.rules.aliases import Orphans
from postmaster.rules.consequences import Consequence, Kind
from tests.conftest import ADMIN
from tests.rules.conftest import alter_setting
from tests.rules.mail import HASH, by_hand, fill
from tests.rules.statements import counted

Foresee = Callable[..., list[str]]


@pytest.fixture
def mail(context: None) -> None:
    fill()


def said(found: tuple[Consequence, ...]) -> list[str]:
    """Each consequence with its addresses, if they are several."""
    return [
        one.sentence() + (f": {', '.join(one.addresses)}" if len(one.addresses) > 1 else "")
        for one in found
    ]


def planned(plan: Callable[..., Any], *arguments: Any, **fields: Any) -> list[str]:
    session = db.session()
    act = plan(session, ADMIN, *arguments, **fields)
    return said(foresight.of(session, ADMIN, act).always)


# --- aliases --------------------------------------------------------------------


def test_a_new_alias_says_where_its_mail_will_go(mail: None) -> None:
    assert planned(
        planned_acts.creating_alias, source="New@one.example", destination="all@two.example"
    ) == ["Mail to new@one.example will go to ana@one.example, eva@two.example"]


def test_one_more_destination_is_also_said_of_what_leads_to_it(mail: None) -> None:
    found = planned(
        planned_acts.creating_alias, source="team@one.example", destination="eva@two.example"
    )
    assert found == [
        "Mail to 2 addresses will also go to eva@two.example: team@one.example, press@two.example"
    ]


def test_what_is_led_to_already_is_no_change(mail: None) -> None:
    assert (
        planned(
            planned_acts.creating_alias, source="press@two.example", destination="ana@one.example"
        )
        == []
    )


def test_an_alias_over_a_mailbox_shadows_it_unless_it_keeps_a_copy(mail: None) -> None:
    fields = {"source": "eva@two.example", "destination": "dora@two.example"}
    (first, *others) = planned(planned_acts.creating_alias, **fields)
    assert (
        first
        == "The mailbox eva@two.example will get no mail any more: it goes to dora@two.example"
    )
    assert others == [
        "Mail to 2 addresses will go to dora@two.example instead of eva@two.example: "
        "bob@one.example, all@two.example"
    ]
    assert planned(planned_acts.creating_alias, **fields, keep_copy=True) == [
        "Mail to 3 addresses will also go to dora@two.example: "
        "eva@two.example, bob@one.example, all@two.example"
    ]


def test_a_circle_is_said_for_all_that_lead_into_it(mail: None) -> None:
    found = planned(
        planned_acts.creating_alias, source="ana@one.example", destination="press@two.example"
    )
    assert len(found) == 1
    assert found[0].startswith("Mail to 6 addresses would go round in a circle")
    assert "all@two.example" in found[0]
    assert "eva@two.example" not in found[0]


def test_an_alias_to_nobody_is_sent_back(mail: None) -> None:
    assert planned(
        planned_acts.creating_alias, source="new@one.example", destination="gone@one.example"
    ) == ["Nobody will receive mail to new@one.example: it is taken and then sent back"]


@pytest.mark.parametrize("has_map", [False, True])
def test_a_catch_all_takes_the_mail_of_mailboxes_without_the_map(mail: None, has_map: bool) -> None:
    alter_setting(settings.EMAIL2EMAIL_MAP, str(has_map))
    fields = {"source": "@two.example", "destination": "ana@one.example"}
    found = planned(planned_acts.creating_alias, **fields)
    others = "Mail to @two.example will go to ana@one.example"
    assert others in found
    taken = [one for one in found if "catch-all" in one]
    assert taken == (
        []
        if has_map
        else [
            "The catch-all takes the mail of 2 mailboxes: it goes to ana@one.example: "
            "dora@two.example, eva@two.example"
        ]
    )
    kept = planned(planned_acts.creating_alias, **fields, keep_mailboxes=True)
    assert kept == [others]


def test_another_destination_goes_instead_of_the_old_one(mail: None) -> None:
    assert planned(planned_acts.changing_alias, 201, destination="dora@two.example") == [
        "Mail to 3 addresses will go to dora@two.example instead of ana@one.example: "
        "sales@two.example, info@two.example, all@two.example"
    ]
    assert planned(planned_acts.changing_alias, 201, destination=" ana@one.example") == []


def test_another_source_stops_mail_to_the_old_one(mail: None) -> None:
    found = planned(planned_acts.renaming_alias, 201, source="vente@two.example")
    assert found == [
        "Nobody will receive mail to sales@two.example any more: it is refused",
        "Nobody will receive mail to info@two.example: it is taken and then sent back",
        "Mail to all@two.example will partly be sent back: nobody is at sales@two.example",
        "Mail to all@two.example will not go to ana@one.example any more",
        "Mail to vente@two.example will go to ana@one.example",
    ]


def test_rows_led_elsewhere(mail: None) -> None:
    found = planned(
        planned_acts.repointing_aliases,
        [101, 102],
        replaced="dora@two.example",
        destination="eva@two.example",
    )
    assert found == [
        "Mail to 2 addresses will go to eva@two.example instead of dora@two.example: "
        "team@one.example, press@two.example"
    ]


# --- what goes ------------------------------------------------------------------


def removal(noun: str, *ids: int) -> foresight.Foreseen[Orphans]:
    session = db.session()
    rules: Any = {"domains": domains, "users": users, "aliases": aliases}[noun]
    if noun == "domains":
        gone = domains.goes_with(session, ADMIN, *ids)
    else:
        gone = rules.goes_with(session, ADMIN, list(ids))
    chosen = rules.get_several(session, ADMIN, list(ids))
    return foresight.of_removal(session, ADMIN, gone, **{noun: chosen})


def test_without_a_user(mail: None) -> None:
    found = removal("users", 11)
    assert said(found.always) == [
        "Nobody will receive mail to ana@one.example any more: it is refused",
    ]
    assert said(found.by_choice[Orphans.ALL]) == [
        "This stops mail to 2 addresses: it is refused: sales@two.example, info@two.example",
        "Mail to 3 addresses will not go to ana@one.example any more: "
        "team@one.example, all@two.example, press@two.example",
    ]
    kept = said(found.by_choice[Orphans.KEEP])
    assert kept[0] == (
        "Nobody will receive mail to 2 addresses: it is taken and then sent back: "
        "sales@two.example, info@two.example"
    )
    assert kept[1].startswith("Mail to 3 addresses will partly be sent back: nobody is at ana@")


def test_without_a_user_who_forwards(mail: None) -> None:
    found = removal("users", 12)
    assert said(found.always) == ["Mail to bob@one.example will not go to bob@one.example any more"]
    assert found.by_choice == {Orphans.ALL: ()}


def test_without_an_alias(mail: None) -> None:
    assert said(removal("aliases", 102).always) == [
        "Mail to 2 addresses will not go to dora@two.example any more: "
        "team@one.example, press@two.example"
    ]


def test_without_a_domain(mail: None) -> None:
    found = removal("domains", 2)
    refused = next(one for one in found.always if one.kind is Kind.REFUSED)
    assert set(refused.addresses) >= {"dora@two.example", "sales@two.example", "all@two.example"}
    assert any(
        one.addresses == ("team@one.example",) and one.went_to == ("dora@two.example",)
        for one in (*found.always, *found.by_choice[Orphans.ALL])
    )


def test_a_domain_that_is_there_twice_goes_on(mail: None) -> None:
    by_hand(Domain(id=3, name="two.example"))
    assert removal("domains", 3) == foresight.Foreseen((), {Orphans.ALL: ()})


def test_a_catch_all_takes_over_what_a_user_leaves(mail: None) -> None:
    by_hand(Alias(id=300, domain_id=1, source="@one.example", destination="eva@two.example"))
    alter_setting(settings.EMAIL2EMAIL_MAP, "True")
    found = removal("users", 11)
    assert said(found.always)[0] == (
        "Mail to 5 addresses will go to eva@two.example instead of ana@one.example: "
        "ana@one.example, team@one.example, sales@two.example, info@two.example, press@two.example"
    )


# --- users ----------------------------------------------------------------------


def test_a_new_mailbox_repairs_what_led_nowhere(mail: None) -> None:
    by_hand(Alias(id=300, domain_id=1, source="old@one.example", destination="new@one.example"))
    assert planned(planned_acts.creating_user, email="new@one.example") == [
        "Mail to old@one.example will go to new@one.example"
    ]
    assert planned(planned_acts.creating_user, email="other@one.example") == []


def test_another_address(mail: None) -> None:
    found = planned(planned_acts.renaming_user, 11, email="anna@two.example")
    assert found[0] == "Nobody will receive mail to ana@one.example any more: it is refused"
    assert any(
        one.startswith("Mail to 5 addresses will go to anna@two.example instead of ana@one.example")
        for one in found
    )
    kept = planned(planned_acts.renaming_user, 11, email="anna@two.example", keep_alias=True)
    assert "refused" not in "".join(kept)


def test_suspended_without_mail(mail: None) -> None:
    user = users.get(db.session(), ADMIN, 22)
    found = said(foresight.of(db.session(), ADMIN, planned_acts.stopping_mail([user])).always)
    assert found[0] == "Nobody will receive mail to eva@two.example any more: it is refused"


def test_suspended_without_mail_under_a_catch_all(mail: None) -> None:
    by_hand(Alias(id=300, domain_id=1, source="@one.example", destination="eva@two.example"))
    alter_setting(settings.EMAIL2EMAIL_MAP, "True")
    user = users.get(db.session(), ADMIN, 11)
    found = said(foresight.of(db.session(), ADMIN, planned_acts.stopping_mail([user])).always)
    assert "will go to eva@two.example instead of ana@one.example: ana@one.example" in found[0]
    assert not any("refused" in one or "sent back" in one for one in found)


@pytest.mark.parametrize("has_map", [False, True])
def test_a_new_mailbox_under_a_catch_all_gets_no_mail_without_the_map(
    mail: None, has_map: bool
) -> None:
    by_hand(Alias(id=300, domain_id=1, source="@one.example", destination="eva@two.example"))
    alter_setting(settings.EMAIL2EMAIL_MAP, str(has_map))
    expected = [] if has_map else ["The mailbox %s will get no mail: it goes to eva@two.example"]
    for plan, arguments in (
        (planned_acts.creating_user, ()),
        (planned_acts.renaming_user, (21,)),
    ):
        fields = {"email": "new@one.example"}
        found = planned(plan, *arguments, **fields)
        assert [one for one in found if "no mail" in one] == [
            one % "new@one.example" for one in expected
        ]
        assert plan(db.session(), ADMIN, *arguments, **fields).offers_copy is not has_map
        found = planned(plan, *arguments, **fields, keep_copy=True)
        assert [one for one in found if "no mail" in one] == []


def test_a_new_mailbox_under_an_alias_gets_none_either(mail: None) -> None:
    assert planned(planned_acts.creating_user, email="team@one.example") == [
        "The mailbox team@one.example will get no mail: it goes to ana@one.example, "
        "dora@two.example"
    ]
    found = planned(planned_acts.creating_user, email="team@one.example", keep_copy=True)
    assert found == [
        "Mail to 2 addresses will also go to team@one.example: team@one.example, press@two.example"
    ]


def test_an_extension_belongs_to_the_mailbox(mail: None) -> None:
    fields = {"source": "new@one.example", "destination": "ana+lists@one.example"}
    assert planned(planned_acts.creating_alias, **fields) == [
        "Mail to new@one.example will go to ana@one.example"
    ]


# --- how much is looked at ------------------------------------------------------


def test_however_many_rows_go_the_statements_are_as_few(mail: None) -> None:
    """A domain with 1,000 users: as many statements as with ten, and the rest is counted."""
    by_hand(Domain(id=8, name="small.example"), Domain(id=9, name="large.example"))
    for domain_id, name, count in ((8, "small", 10), (9, "large", 1000)):
        people = [
            {"domain_id": domain_id, "email": f"u{n}@{name}.example", "password": HASH}
            for n in range(count)
        ]
        db.session.execute(insert(User), people)
    db.session.commit()
    taken = []
    for domain_id in (8, 9):
        db.session.remove()
        session = db.session()
        gone = domains.goes_with(session, ADMIN, domain_id)
        chosen = domains.get_several(session, ADMIN, [domain_id])
        with counted() as seen:
            found = foresight.of_removal(session, ADMIN, gone, domains=chosen)
        taken.append(len(seen))
    assert taken[0] == taken[1] <= 8, taken
    (refused,) = found.always
    assert len(refused.addresses) == affected.MOST
    assert found.unseen == 1000 - affected.MOST
