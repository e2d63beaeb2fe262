"""The tables of PostfixAdmin and ViMbAdmin become items, whatever program wrote the CSV."""

import io

import pytest

from postmaster.errors import Invalid
from postmaster.rules.imports import formats
from postmaster.rules.imports.dumps import IS_RENAMED
from postmaster.rules.imports.items import (
    AliasItem,
    BadItem,
    DomainItem,
    Item,
    SkippedItem,
    Source,
    UserItem,
)

SHA512 = "$6$abcdefghijklmnop$" + "x" * 86
DOMAIN = "domain,description,aliases,mailboxes,transport,backupmx,active\n"
MAILBOX = "username,password,name,maildir,local_part,domain,active\n"
ALIAS = "address,goto,domain,active\n"
ALIAS_DOMAIN = "alias_domain,target_domain,active\n"
VIMB_MAILBOX = "id,username,password,name,local_part,active,delete_pending,Domain_id\n"
VIMB_ALIAS = "id,address,goto,active,Domain_id\n"
VIMB_DOMAIN = "id,domain,description,max_aliases,max_mailboxes,backupmx,active\n"


def read(*texts: str, program: str = "postfixadmin") -> list[Item]:
    sources = [Source(f"{n}.csv", io.BytesIO(text.encode())) for n, text in enumerate(texts)]
    chosen = formats.detect(sources)
    assert chosen.name == program
    return list(chosen.read(sources))


def told(items: list[Item]) -> list[str]:
    """What is read, in a line each."""
    return [
        f"skip {item.name}: {item.reason}"
        if isinstance(item, SkippedItem)
        else f"{item.source} -> {item.destination}"
        if isinstance(item, AliasItem)
        else str(item)
        for item in items
    ]


# --- domains --------------------------------------------------------------------


def test_domains_with_their_descriptions() -> None:
    assert read(DOMAIN + "ALL,,0,0,,0,1\na.example,Our  own,0,0,virtual,0,1\n") == [
        SkippedItem(2, "ALL", "It stands for all domains and is none itself"),
        DomainItem(3, "a.example", "Our own"),
    ]


@pytest.mark.parametrize("off", ["0", "f", "", "NULL", r"\N"])
def test_what_is_in_a_domain_that_is_not_active_is_left_out(off: str) -> None:
    found = read(
        ALIAS + "x@off.example,y@on.example,off.example,1\n",
        MAILBOX + f"ana@OFF.example,{SHA512},,,ana,off.example,1\n",
        DOMAIN + f"off.example,,0,0,virtual,0,{off}\n",
    )
    assert told(found) == [
        "skip x@off.example: Its domain is not active there",
        "skip ana@OFF.example: Its domain is not active there",
        "skip off.example: It is not active there",
    ]


def test_a_backup_mx_is_left_out() -> None:
    found = read(
        DOMAIN + "mx.example,,0,0,virtual,1,1\n", ALIAS + "x@mx.example,y@a.example,mx.example,1\n"
    )
    assert [isinstance(item, SkippedItem) for item in found] == [True, True]
    assert "backup MX" in told(found)[0]
    assert "backup MX" in told(found)[1]


# --- aliases --------------------------------------------------------------------


def test_a_list_of_destinations_is_several_aliases() -> None:
    found = read(ALIAS + 'team@a.example,"ana@a.example, bob@b.example,,ana@a.example",a,1\n')
    assert told(found) == [
        "team@a.example -> ana@a.example",
        "team@a.example -> bob@b.example",
    ]


def test_an_alias_of_a_mailbox_to_itself_is_left_out_unless_others_are_beside_it() -> None:
    found = read(ALIAS + "ana@a.example,Ana@a.example,a,1\n")
    assert told(found)[0] == (
        "skip ana@a.example: A mailbox gets its own mail without such an alias"
    )
    found = read(ALIAS + 'ana@a.example,"ana@a.example,x@b.example",a,1\n')
    assert told(found) == ["ana@a.example -> ana@a.example", "ana@a.example -> x@b.example"]


def test_beside_a_catch_all_it_is_kept_since_some_servers_need_it() -> None:
    found = read(
        ALIAS
        + "ana@a.example,ana@a.example,a.example,1\n"
        + "@a.example,bob@b.example,a.example,1\n"
    )
    assert told(found)[0] == "ana@a.example -> ana@a.example"


def test_what_is_not_active_and_vacation_replies_are_left_out() -> None:
    found = read(
        ALIAS
        + "x@a.example,y@a.example,a,0\n"
        + 'ana@a.example,"ana@a.example,ana#a.example@autoreply.a.example",a,1\n'
        + "none@a.example,,a,1\n"
    )
    assert told(found) == [
        "skip x@a.example: It is not active there",
        "skip ana@a.example -> ana#a.example@autoreply.a.example: "
        "Vacation replies are not taken over",
        "skip ana@a.example: A mailbox gets its own mail without such an alias",
        "skip none@a.example: It has no destination",
    ]


def test_an_alias_domain_gets_the_addresses_of_its_target() -> None:
    found = read(
        ALIAS_DOMAIN + "new.example,old.example,1\noff.example,old.example,0\n",
        ALIAS
        + "x@old.example,ana@old.example,old.example,1\n"
        + "ana@old.example,ana@old.example,old.example,1\n"
        + '@old.example,"x@old.example,y@b.example",old.example,1\n'
        + "z@old.example,y@b.example,old.example,0\n",
        MAILBOX
        + f"ana@old.example,{SHA512},,,ana,old.example,1\n"
        + f"bob@old.example,{SHA512},,,bob,old.example,1\n",
    )
    assert told(found)[:2] == [
        "skip @new.example -> @old.example: " + IS_RENAMED,
        "skip @off.example -> @old.example: It is not active there",
    ]
    assert [(item.file, item.line) for item in found[-5:]] == [(0, 2)] * 5
    assert told(found)[-5:] == [
        "x@new.example -> x@old.example",
        "ana@new.example -> ana@old.example",
        "@new.example -> x@old.example",
        "@new.example -> y@b.example",
        "bob@new.example -> bob@old.example",
    ]


# --- mailboxes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "password", "hashed"),
    [
        (SHA512, None, SHA512),
        (f"{{SHA512-CRYPT}}{SHA512}", None, SHA512),
        (f"{{CRYPT}}{SHA512}", None, SHA512),
        ("$1$salt$hash", None, "$1$salt$hash"),
        ("{BLF-CRYPT}$2y$05$x", None, "{BLF-CRYPT}$2y$05$x"),
        ("5F4DCC3B5AA765D61D8327DEB882CF99", None, "{PLAIN-MD5}5f4dcc3b5aa765d61d8327deb882cf99"),
        ("a plain password", "a plain password", None),
        ("{PLAIN}a plain password", "a plain password", None),
    ],
)
def test_passwords_in_all_the_forms_that_they_are_kept_in(
    stored: str, password: str | None, hashed: str | None
) -> None:
    assert read(MAILBOX + f"ana@a.example,{stored},Ana,a/,ana,a.example,1\n") == [
        UserItem(2, "ana@a.example", password, hashed, note="Ana")
    ]


@pytest.mark.parametrize("stored", ["rqXexS6ZhobKA", "W6ph5Mm5Pz8GgiULbPgzG37mj9g="])
def test_what_may_be_a_hash_or_a_password_is_not_guessed(stored: str) -> None:
    (found,) = read(MAILBOX + f"ana@a.example,{stored},,a/,ana,a.example,1\n")
    assert isinstance(found, BadItem)
    assert "may be a plain password or a hash" in str(found.error)
    assert stored not in str(found.error)


def test_a_mailbox_that_is_not_active_is_suspended() -> None:
    assert read(MAILBOX + f"ana@a.example,{SHA512},,a/,ana,a.example,0\n") == [
        UserItem(2, "ana@a.example", hashed=SHA512, suspended="all")
    ]


# --- ViMbAdmin ------------------------------------------------------------------


def test_the_tables_of_vimbadmin() -> None:
    found = read(
        VIMB_DOMAIN + "1,a.example,,0,0,0,1\n2,off.example,,0,0,0,0\n",
        VIMB_MAILBOX
        + f"1,ana@a.example,{SHA512},NULL,ana,1,0,1\n"
        + f"2,old@a.example,{SHA512},NULL,old,0,1,1\n",
        VIMB_ALIAS
        + '1,x@a.example,"ana@a.example,b@b.example",1,1\n2,y@off.example,x@a.example,1,2\n',
        program="vimbadmin",
    )
    assert found[:4] == [
        DomainItem(2, "a.example"),
        SkippedItem(3, "off.example", "It is not active there"),
        UserItem(2, "ana@a.example", hashed=SHA512, file=1),
        SkippedItem(3, "old@a.example", "It is waiting to be deleted there", file=1),
    ]
    assert told(found[4:]) == [
        "x@a.example -> ana@a.example",
        "x@a.example -> b@b.example",
        "skip y@off.example: Its domain is not active there",
    ]


# --- files ----------------------------------------------------------------------


def test_what_mysql_writes_is_not_quoted() -> None:
    header = MAILBOX.replace(",", "\t")
    row = f'ana@a.example\t{SHA512}\t"Ana" \\\\ B\\tC\ta/\tana\ta.example\t1\n'
    (found,) = read(header + row, "")
    assert isinstance(found, UserItem)
    assert found.note == '"Ana" \\ B C'


def test_semicolons_and_quotes_as_phpmyadmin_writes_them() -> None:
    quoted = [";".join(f'"{cell}"' for cell in ALIAS.strip().split(","))]
    quoted.append('"x@a.example";"a@a.example,b@a.example";"a.example";"1"')
    assert told(read("\n".join(quoted))) == [
        "x@a.example -> a@a.example",
        "x@a.example -> b@a.example",
    ]


def test_a_table_that_is_not_for_mail_is_refused() -> None:
    admin = Source("admin.csv", io.BytesIO(b"username,password,superadmin\n"))
    alias = Source("alias.csv", io.BytesIO(ALIAS.encode()))
    with pytest.raises(Invalid, match="not known"):
        formats.detect([alias, admin])
    with pytest.raises(Invalid, match=r'"admin.csv" is no table of PostfixAdmin'):
        list(formats.named("postfixadmin").read([alias, admin]))


def test_lines_that_cannot_be_read() -> None:
    raw = ALIAS.encode() + b"x@a.example,y@a.example,a,1,more\nx@a.example,\xff@a.example,a,1\n"
    found = list(formats.named("postfixadmin").read([Source("alias.csv", io.BytesIO(raw))]))
    assert [(item.line, type(item)) for item in found] == [(2, BadItem), (3, BadItem)]
