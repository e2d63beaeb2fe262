"""The mail server's configuration: right ones, and each way in which one can be wrong."""

import dataclasses
import pkgutil
from collections.abc import Mapping
from importlib import import_module

import pytest

from postmaster.rules import server_config
from postmaster.rules.server_config.findings import Kind, Report, Severity
from postmaster.rules.server_config.panel import Panel
from tests.rules.server_texts import (
    DATABASE,
    DIGITALOCEAN,
    DOVECOT,
    DOVECOT_24,
    GUIDE,
    LINODE,
    MAIN,
    MAPS,
    MARKER,
    SQL,
    a_map,
    changed,
    judged,
    said,
    without,
)

MAIN_CF, SQL_FILE, DOVECOT_FILE = "main.cf", "dovecot-sql.conf.ext", "dovecot.conf"
DOMAINS, MAILBOXES, ALIASES, EMAIL2EMAIL = MAPS
WITHOUT_DELIMITER = MAIN.replace("recipient_delimiter = +\n", "")
DIGITALOCEANS = {
    **without(EMAIL2EMAIL),
    MAIN_CF: WITHOUT_DELIMITER.replace(",\n  mysql:/etc/postfix/mysql-virtual-email2email.cf", ""),
}


def codes(report: Report, *severities: Severity) -> list[str]:
    wanted = severities or (Severity.ERROR, Severity.WARNING)
    return [finding.code for finding in report.findings if finding.severity in wanted]


# --- right ----------------------------------------------------------------------


def test_the_one_guide_s_configuration_is_right() -> None:
    report = judged(GUIDE)
    assert codes(report) == [], said(report)
    assert report.worst is Severity.OK
    assert report.has_email2email is True
    assert report.mail_folder == "/var/mail/vhosts/%d/%n"
    assert codes(report, Severity.OK).count("question-right") == 5
    assert "with-email2email" in codes(report, Severity.OK)


def test_the_other_guide_s_configuration_is_right() -> None:
    report = judged(DIGITALOCEANS, DIGITALOCEAN)
    assert codes(report) == [], said(report)
    assert report.has_email2email is False
    assert {"without-email2email", "no-delimiter"} <= set(codes(report, Severity.OK))


def test_dovecot_2_4_s_one_file_is_right() -> None:
    texts = {**without(SQL_FILE), DOVECOT_FILE: DOVECOT_24}
    report = judged(texts)
    assert codes(report) == [], said(report)
    assert report.mail_folder == "/var/mail/vhosts/%d/%n/Maildir"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (MAIN_CF, "mysql:$folder", "proxy:mysql:$folder"),
        (MAIN_CF, "reject_unauth_destination", "reject_unauth_destination, permit"),
        (MAIN_CF, "private/dovecot-lmtp", "/var/spool/postfix/private/dovecot-lmtp"),
        (DOMAINS, "'%s'", "'%u'"),
        (
            DOMAINS,
            "SELECT 1 FROM",
            "select name from `servermail`.`virtual_domains` where name ='%S' ; #",
        ),
        (MAILBOXES, "SELECT 1", "SELECT email"),
        (MAILBOXES, "'%s'", "'%u@%d' LIMIT 1;"),
        (MAILBOXES, "email='%s'", "'%s' = email"),
        (SQL_FILE, "'%u'", "'%Lu'"),
        (SQL_FILE, "'%u'", "'%n@%d'"),
        (SQL_FILE, "SELECT email", "\\\n  SELECT email"),
        (SQL_FILE, "default_pass_scheme = SHA512-CRYPT", "default_pass_scheme = sha512-crypt # it"),
        (SQL_FILE, "SELECT email as user, ", "SELECT email user, "),
        (
            DOVECOT_FILE,
            "maildir:/var/mail/vhosts/%d/%n/",
            "maildir:/var/mail/vhosts/%d/%n:INDEX=/i",
        ),
        (DOVECOT_FILE, "maildir:/var/mail/vhosts/%d/%n/", "mdbox:~"),
        (DOVECOT_FILE, "ssl = required", "ssl = required\nauth_username_format = %Ln@%Ld"),
    ],
)
def test_other_spellings_are_right_too(name: str, old: str, new: str) -> None:
    if new.endswith("#"):  # the whole query
        old, new = GUIDE[name].split("query = ")[1].strip(), new.removesuffix(" #").strip()
    report = judged(changed(name, old, new))
    assert codes(report) == [], said(report)


def test_an_sqlite_database_is_asked_through_sqlite_maps() -> None:
    panel = Panel("/srv/mail.sqlite3", is_file=True, email2email=True)
    texts = {
        name: text.replace("mysql:", "sqlite:")
        .replace(f"dbname = {DATABASE}", "dbpath = /srv/mail.sqlite3")
        .replace("driver = mysql", "driver = sqlite")
        .replace("connect = host=127.0.0.1", "connect = /srv/mail.sqlite3 ")
        for name, text in GUIDE.items()
    }
    report = judged(texts, panel)
    assert [
        f for f in report.findings if f.severity is Severity.ERROR and f.where != SQL_FILE
    ] == []


# --- wrong ----------------------------------------------------------------------

Case = tuple[str, Severity, Mapping[str, str], Panel]
E, W = Severity.ERROR, Severity.WARNING


def case(
    code: str, severity: Severity, name: str, old: str, new: str, panel: Panel = LINODE
) -> Case:
    return code, severity, changed(name, old, new), panel


def without_setting(code: str, severity: Severity, name: str, setting: str) -> Case:
    lines = [line for line in GUIDE[name].split("\n") if not line.startswith(setting)]
    return code, severity, {**GUIDE, name: "\n".join(lines)}, LINODE


def as_24(code: str, severity: Severity, old: str, new: str) -> Case:
    assert old in DOVECOT_24
    texts = {**without(SQL_FILE), DOVECOT_FILE: DOVECOT_24.replace(old, new)}
    return code, severity, texts, LINODE


REVERSED = (
    MAIN.replace("alias-maps", "x")
    .replace("email2email", "alias-maps")
    .replace("-x", "-email2email")
)
WRONG: list[Case] = [
    # A map's question.
    case("no-query", E, DOMAINS, "query", "# query"),
    case("open-quote", E, DOMAINS, "'%s'", "'%s"),
    case("quoted-query", E, DOMAINS, "query = SELECT", 'query = "SELECT'),
    case("query-not-understood", W, MAILBOXES, "email=", "LOWER(email)="),
    case("query-not-understood", W, MAILBOXES, "email=", "email LIKE "),
    case("other-table", E, MAILBOXES, "virtual_users", "mailbox"),
    case("other-table", E, MAILBOXES, "virtual_users WHERE", "mailbox m JOIN x ON m.a=x.b WHERE"),
    case("other-table", E, MAILBOXES, "virtual_users", "virtual_aliases"),
    case("other-column", E, MAILBOXES, "'%s'", "'%s' AND active=1"),
    case("other-column", E, DOMAINS, "name=", "domain="),
    case("other-key", E, ALIASES, "source=", "destination="),
    case("other-result", E, ALIASES, "SELECT destination", "SELECT source"),
    case("other-result", E, ALIASES, "SELECT destination", "SELECT source, destination"),
    case("other-result", E, SQL_FILE, ", password", ", 1"),
    case("place-without-quotes", E, MAILBOXES, "'%s'", "%s"),
    case("place-without-quotes", E, SQL_FILE, "'%u'", "%u"),
    case("other-place", E, DOMAINS, "'%s'", "'%d'"),
    case("other-place", E, MAILBOXES, "'%s'", "'%u'"),
    case("other-place", E, MAILBOXES, "'%s'", "'%d'"),
    case("other-place", E, SQL_FILE, "'%u'", "'%n'"),
    case("other-place", E, SQL_FILE, "'%u'", "'%s'"),
    case("catch-alls-left-out", E, ALIASES, "'%s'", "'%u@%d'"),
    case("no-condition", E, MAILBOXES, " WHERE email='%s'", ""),
    case("no-condition", E, MAILBOXES, "'%s'", "'ana@example.com'"),
    case("more-conditions", W, MAILBOXES, "'%s'", "'%s' AND domain_id=1"),
    case("one-row-only", E, ALIASES, "'%s'", "'%s' LIMIT 1"),
    # A map's database, and its other parameters.
    case("no-database", E, DOMAINS, "dbname", "# dbname"),
    case("other-database", E, DOMAINS, f"dbname = {DATABASE}", "dbname = old"),
    case("other-database", E, DOMAINS, "FROM virtual", "FROM old.virtual"),
    case("other-database", E, SQL_FILE, f"dbname={DATABASE}", "dbname=old"),
    case("panels-user", W, DOMAINS, "mailuser", "postmaster"),
    case("panels-user", W, SQL_FILE, "mailuser", "postmaster"),
    case("administrators-user", W, DOMAINS, "mailuser", "root"),
    (
        "old-form",
        W,
        changed(
            MAILBOXES,
            "query = SELECT 1 FROM virtual_users WHERE email='%s'",
            "table = virtual_users\nselect_field = email\nwhere_field = email",
        ),
        LINODE,
    ),
    case("changed-result", E, ALIASES, "dbname", "result_format = %d\ndbname"),
    case("some-domains", E, ALIASES, "dbname", "domain = example.com\ndbname"),
    case("few-results", W, ALIASES, "dbname", "expansion_limit = 1\ndbname"),
    # Which maps, in which order.
    case("not-set", E, MAIN_CF, "virtual_mailbox_domains =", "virtual_mailbox_x ="),
    case("not-set", E, MAIN_CF, "virtual_mailbox_maps =", "virtual_mailbox_x ="),
    case("not-set", E, MAIN_CF, "virtual_alias_maps =", "virtual_alias_x ="),
    case("not-the-database", E, MAIN_CF, "mysql:$folder/", "hash:$folder/"),
    case(
        "beside-the-database",
        W,
        MAIN_CF,
        "virtual_alias_maps =",
        "virtual_alias_maps = hash:/etc/aliases",
    ),
    ("map-not-given", W, without(MAILBOXES), LINODE),
    case(
        "map-in-main-cf",
        W,
        MAIN_CF,
        "mysql:$folder/mysql-virtual-mailbox-domains.cf",
        "mysql:domains",
    ),
    case(
        "proxy-refused",
        E,
        MAIN_CF,
        "virtual_mailbox_domains = mysql:",
        "proxy_read_maps = hash:/x\nvirtual_mailbox_domains = proxy:mysql:",
    ),
    case("no-alias-map", E, MAIN_CF, "mysql:/etc/postfix/mysql-virtual-alias-maps.cf,", ""),
    ("maps-reversed", E, {**GUIDE, MAIN_CF: REVERSED}, LINODE),
    # The rest of main.cf.
    case(
        "domain-twice",
        E,
        MAIN_CF,
        "localhost\n",
        "localhost, Example.COM\n",
        Panel(DATABASE, email2email=True, domains=frozenset({"example.com"})),
    ),
    (
        "domain-twice",
        E,
        changed(MAIN_CF, "mydestination = localhost\n", ""),
        Panel(DATABASE, email2email=True, domains=frozenset({"mail.example.com"})),
    ),
    case(
        "database-twice",
        E,
        MAIN_CF,
        "mydestination = localhost",
        "mydestination = $virtual_mailbox_domains",
    ),
    case(
        "database-twice",
        E,
        MAIN_CF,
        "folder = ",
        "virtual_alias_domains = $virtual_mailbox_domains\nfolder = ",
    ),
    case("not-to-dovecot", E, MAIN_CF, "virtual_transport", "mailbox_transport"),
    case("other-transport", W, MAIN_CF, "lmtp:unix:private/dovecot-lmtp", "dovecot"),
    case("other-delimiter", W, MAIN_CF, "recipient_delimiter = +", "recipient_delimiter = -"),
    case("low-limit", W, MAIN_CF, "folder =", "virtual_alias_expansion_limit = 50\nfolder ="),
    case("low-limit", W, MAIN_CF, "folder =", "virtual_alias_recursion_limit = many\nfolder ="),
    case("open-relay", E, MAIN_CF, "    permit_mynetworks", "    permit, permit_mynetworks"),
    case("open-relay", E, MAIN_CF, "mynetworks = ", "mynetworks = 0.0.0.0/0 "),
    case(
        "no-barrier",
        E,
        MAIN_CF,
        "    reject_unauth_destination",
        "    permit\nsmtpd_relay_restrictions =",
    ),
    case("relay-by-default", W, MAIN_CF, "    reject_unauth_destination", ""),
    case("no-origin", W, MAIN_CF, "folder =", "append_at_myorigin = no\nfolder ="),
    without_setting("vrfy", W, MAIN_CF, "disable_vrfy"),
    without_setting("plain-sign-in", W, MAIN_CF, "smtpd_tls_auth_only"),
    without_setting("other-sign-in", W, MAIN_CF, "smtpd_sasl_type"),
    case("hash-in-value", E, MAIN_CF, "localhost\n", "localhost # and no more\n"),
    case("unread-line", W, MAIN_CF, "folder =", "not a parameter\nfolder ="),
    # Dovecot's SQL file.
    case("other-driver", E, SQL_FILE, "driver = mysql", "driver = pgsql"),
    case("scheme-reads", W, SQL_FILE, "SHA512-CRYPT", "CRYPT"),
    case("scheme-wrong", E, SQL_FILE, "SHA512-CRYPT", "SSHA512"),
    without_setting("scheme-missing", E, SQL_FILE, "default_pass_scheme"),
    case("no-password-query", E, SQL_FILE, "password_query", "# password_query"),
    case("no-user-returned", W, SQL_FILE, "email as user, ", ""),
    (
        "user-query-columns",
        E,
        {
            **changed(DOVECOT_FILE, "driver = static", "driver = sql"),
            SQL_FILE: f"{SQL}user_query = SELECT home, uid FROM virtual_users WHERE email='%u'\n",
        },
        LINODE,
    ),
    (
        "user-query-table",
        E,
        {
            **changed(DOVECOT_FILE, "driver = static", "driver = sql"),
            SQL_FILE: f"{SQL}user_query = SELECT 5000 AS uid FROM users WHERE email='%u'\n",
        },
        LINODE,
    ),
    (
        "user-query-unsure",
        W,
        {
            **without(DOVECOT_FILE),
            SQL_FILE: f"{SQL}user_query = SELECT home, uid FROM virtual_users WHERE email='%u'\n",
        },
        LINODE,
    ),
    case(
        "iterate-query",
        W,
        SQL_FILE,
        "driver = mysql",
        "driver = mysql\niterate_query = SELECT username AS user FROM users",
    ),
    # Dovecot's configuration.
    case("no-sql-passdb", E, DOVECOT_FILE, "driver = sql", "driver = pam"),
    case(
        "system-passdb",
        W,
        DOVECOT_FILE,
        "ssl = required",
        "ssl = required\npassdb {\n  driver = pam\n}",
    ),
    case("no-userdb", E, DOVECOT_FILE, "driver = static", "driver = passwd"),
    case("prefetch-alone", E, DOVECOT_FILE, "driver = static", "driver = prefetch"),
    case("username-cut", E, DOVECOT_FILE, "ssl =", "auth_username_format = %Ln\nssl ="),
    case(
        "username-cut",
        E,
        DOVECOT_FILE,
        "ssl =",
        "protocol lmtp {\n  auth_username_format = %n\n}\nssl =",
    ),
    case(
        "username-characters",
        E,
        DOVECOT_FILE,
        "ssl =",
        "auth_username_chars = abcdefghijklmnopqrstuvwxyz\nssl =",
    ),
    case("auth-cache", W, DOVECOT_FILE, "ssl =", "auth_cache_size = 10 M\nssl ="),
    case(
        "mail-folder-shared",
        E,
        DOVECOT_FILE,
        "maildir:/var/mail/vhosts/%d/%n/",
        "maildir:/var/mail/%n",
    ),
    case("no-lmtp", E, DOVECOT_FILE, " imap lmtp", " imap pop3"),
    case("cleartext", W, DOVECOT_FILE, "ssl =", "disable_plaintext_auth = no\nssl ="),
    case("cleartext", W, DOVECOT_FILE, "ssl = required", "ssl = no"),
    as_24("cleartext", W, "mail_driver", "auth_allow_cleartext = yes\nmail_driver"),
    as_24("scheme-missing", E, "passdb_default_password_scheme", "# "),
    as_24("other-place", E, "'%{user}'", "'%{user | username}'"),
    as_24("other-database", E, f"dbname = {DATABASE}", "dbname = old"),
    as_24("other-driver", E, "sql_driver = mysql", "sql_driver = pgsql"),
    as_24("username-cut", E, "%{user | lower}", "%{user | username | lower}"),
    as_24("prefetch-alone", E, "userdb static", "userdb prefetch"),
    # What has to be the same on two sides.
    ("lesser-setting-differs", W, GUIDE, dataclasses.replace(LINODE, email2email=False)),
    (
        "setting-differs",
        E,
        DIGITALOCEANS,
        dataclasses.replace(DIGITALOCEAN, email2email=True),
    ),
    ("lesser-setting-differs", W, GUIDE, dataclasses.replace(LINODE, delimiter="none")),
    ("lesser-setting-differs", W, GUIDE, dataclasses.replace(LINODE, mail_folder="/srv/%u")),
    case("other-socket", W, DOVECOT_FILE, "private/dovecot-lmtp", "private/lmtp"),
    case("other-socket", W, MAIN_CF, "private/auth", "private/sasl"),
    case("other-socket", W, MAIN_CF, "private/auth", "inet:127.0.0.1:12345"),
    case("other-socket", W, MAIN_CF, "lmtp:unix:private/dovecot-lmtp", "lmtp:inet:127.0.0.1:24"),
    case("delimiters-differ", E, DOVECOT_FILE, "ssl =", "recipient_delimiter = -\nssl ="),
    # The texts.
    ("not-recognised", E, {**GUIDE, "notes.txt": "Buy milk"}, LINODE),
    ("empty", W, {**GUIDE, "local.conf": "# nothing\n\n"}, LINODE),
    ("no-main-cf", W, without(MAIN_CF), LINODE),
    ("no-maps", W, without(*MAPS), LINODE),
    ("no-dovecot-sql", W, without(SQL_FILE), LINODE),
    ("no-dovecot", W, without(DOVECOT_FILE), LINODE),
]


@pytest.mark.parametrize(
    ("code", "severity", "texts", "panel"),
    WRONG,
    ids=[f"{number}-{row[0]}" for number, row in enumerate(WRONG)],
)
def test_what_is_wrong_is_found(
    code: str, severity: Severity, texts: Mapping[str, str], panel: Panel
) -> None:
    report = judged(texts, panel)
    assert code in codes(report, severity), said(report)
    for finding in report.findings:
        assert finding.sentence()
        assert finding.meaning(), finding.code
        assert "%(" not in finding.sentence() + finding.meaning()


def test_every_kind_of_finding_is_provoked() -> None:
    modules = [
        import_module(f"{server_config.__name__}.{found.name}")
        for found in pkgutil.iter_modules(server_config.__path__)
    ]
    kinds = {
        value.code: value.severity
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Kind)
    }
    wrong = {code for code, severity in kinds.items() if severity is not Severity.OK}
    assert wrong == {row[0] for row in WRONG}
    texts = changed(
        MAIN_CF,
        "virtual_mailbox_domains = mysql:",
        "local_recipient_maps =\nvirtual_mailbox_domains = proxy:mysql:",
    )
    seen = {finding.code for finding in judged({**texts, "other.cf": a_map("SELECT 1")}).findings}
    seen |= {finding.code for finding in judged(DIGITALOCEANS, DIGITALOCEAN).findings}
    assert {code for code in kinds if code not in wrong} <= seen


def test_the_fix_of_a_finding_is_right() -> None:
    """The query that is to be written instead is one that is right."""
    report = judged(changed(ALIASES, "source=", "destination="))
    (wrong,) = [finding for finding in report.findings if finding.code == "other-key"]
    line = GUIDE[ALIASES].split("query =")[0] + wrong.write[0]
    assert codes(judged({**GUIDE, ALIASES: line})) == []


@pytest.mark.parametrize(
    "transport",
    [
        "lmtp:inet:127.0.0.1:24",
        "lmtp:mail.example.com",
        "lmtp:[::1]:24",
        "lmtp:[mail.example.com]:lmtp",
        "lmtp:unix:/var/run/dovecot/lmtp",
        "lmtp:unix:../spool/private/dovecot-lmtp",
    ],
)
def test_dovecot_listens_where_postfix_hands_over(transport: str) -> None:
    texts = changed(MAIN_CF, "lmtp:unix:private/dovecot-lmtp", transport)
    port = "service lmtp {\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = 24\n  }\n"
    texts[DOVECOT_FILE] = DOVECOT.replace("service lmtp {\n", port).replace(
        "postfix/private/dovecot", "spool/private/dovecot"
    )
    report = judged(texts)
    assert codes(report) == [], said(report)
    assert "lmtp" in codes(report, Severity.OK)


@pytest.mark.parametrize("port", ["25", "0"])
@pytest.mark.parametrize("place", ["inet:127.0.0.1:24", "unix:private/nowhere", "127.0.0.1"])
def test_mail_that_is_handed_over_where_nobody_listens_is_not_right(place: str, port: str) -> None:
    texts = changed(MAIN_CF, "unix:private/dovecot-lmtp", place)
    listener = f"service lmtp {{\n  inet_listener lmtp {{\n    port = {port}\n  }}\n"
    texts[DOVECOT_FILE] = DOVECOT.replace("service lmtp {\n", listener)
    report = judged(texts)
    assert codes(report) == ["other-socket"]
    assert "lmtp" not in codes(report, Severity.OK)
    assert report.findings[0].write == ("virtual_transport = lmtp:unix:private/dovecot-lmtp",)


def test_where_dovecot_listens_is_not_known_without_its_settings() -> None:
    (finding,) = [f for f in judged(without(DOVECOT_FILE)).findings if f.code == "lmtp"]
    assert "not known" in finding.meaning()


def test_a_setting_of_the_panel_is_no_line_of_the_mail_server_s() -> None:
    panel = dataclasses.replace(LINODE, email2email=False, setting_ids={"Email2Email Map": 13})
    (finding,) = [f for f in judged(GUIDE, panel).findings if f.severity is not Severity.OK]
    assert (finding.where, finding.write) == ("PostMaster", ())
    assert finding.own_setting
    assert finding.own_setting.plain() == {"id": 13, "name": "Email2Email Map", "value": "True"}


def test_no_value_is_asked_for_that_the_setting_refuses() -> None:
    texts = changed(DOVECOT_FILE, "maildir:/var/mail/vhosts/%d/%n/", "maildir:/var/mail/%d")
    panel = dataclasses.replace(LINODE, mail_folder="/var/mail/vhosts/%d/%n")
    assert codes(judged(texts, panel)) == ["mail-folder-shared"]


def test_a_query_that_is_wrong_is_not_said_to_be_right_perhaps() -> None:
    report = judged(changed(ALIASES, "source='%s'", "source LIKE '%s' AND active=1"))
    assert codes(report) == ["other-column"]
    report = judged(changed(ALIASES, "source='%s'", "source LIKE '%s' AND id=1"))
    assert sorted(codes(report)) == ["more-conditions", "query-not-understood"]


def test_a_domain_is_named_once() -> None:
    texts = changed(
        MAIN_CF, "mydestination = localhost", "mydestination = Mail.example.com, $myhostname"
    )
    panel = dataclasses.replace(LINODE, domains=frozenset({"mail.example.com"}))
    (finding,) = [f for f in judged(texts, panel).findings if f.code == "domain-twice"]
    assert finding.sentence().startswith("mail.example.com: in mydestination")


# --- what each text is ----------------------------------------------------------


def test_texts_without_names_are_told_apart() -> None:
    """All in one paste, as tail writes them, and maps one after the other."""
    named = "\n".join(f"==> /etc/{name} <==\n{text}" for name, text in GUIDE.items())
    assert codes(judged({"": named})) == []
    pasted = "".join(GUIDE[name] for name in MAPS)
    assert codes(judged({"": MAIN, " ": pasted, "  ": SQL, "   ": DOVECOT})) == []


DICT = """\
default_pass_scheme = MD5
iterate_prefix = userdb/
key passdb {
  key = passdb/%u
  format = json
}
passdb_objects = passdb
"""
DICT_SQL = f"""\
connect = host=localhost dbname=mails user=testuser password={MARKER}
map {{
  pattern = priv/quota/storage
  table = quota
}}
"""
LDAP = f"uris = ldap://localhost\nbase = dc=x\ndnpass = {MARKER}\ndefault_pass_scheme = CRYPT\n"


@pytest.mark.parametrize("other", [DICT, DICT_SQL, LDAP])
def test_dovecot_s_other_files_are_not_its_sql_file(other: str) -> None:
    """Debian has them beside it; dovecot-dict-auth.conf.ext sets a scheme of its own."""
    assert codes(judged({"dovecot-a.conf.ext": other, **GUIDE})) == []
    wrong = {**GUIDE, SQL_FILE: SQL.replace("%u", "%n").replace("default_pass_scheme", "# ")}
    for texts in ({"dovecot-a.conf.ext": other, **wrong}, {**wrong, "dovecot-z.conf.ext": other}):
        report = judged(texts)
        assert sorted(codes(report)) == ["other-place", "scheme-missing"]
        assert {f.where for f in report.findings if f.severity is Severity.ERROR} == {SQL_FILE}
    report = judged({**without(SQL_FILE), "dovecot-a.conf.ext": other})
    assert codes(report) == ["no-dovecot-sql"]
    assert "not needed" in str([text.kind for text in report.texts][-1])


def test_of_two_sql_files_the_one_is_named_that_has_the_query() -> None:
    connection, query = SQL.split("default_pass_scheme")
    texts = {**without(SQL_FILE), "a.ext": connection}
    report = judged({**texts, "b.ext": "default_pass_scheme" + query.replace("%u", "%n")})
    (finding,) = [f for f in report.findings if f.severity is Severity.ERROR]
    assert (finding.code, finding.where) == ("other-place", "b.ext")


def test_a_carriage_return_does_no_harm() -> None:
    assert codes(judged({name: text.replace("\n", "\r\n") for name, text in GUIDE.items()})) == []


def test_maps_alone_are_judged_by_what_they_ask() -> None:
    report = judged({name: GUIDE[name] for name in MAPS})
    assert codes(report, Severity.ERROR) == []
    assert codes(report, Severity.OK).count("question-right") == 4
    assert report.has_email2email is True


def test_the_files_of_a_folder_are_one_configuration() -> None:
    passdb, rest = DOVECOT.split("protocols")[0], DOVECOT.split("protocols")[1]
    texts = {**without(DOVECOT_FILE), "10-auth.conf": passdb, "10-master.conf": f"protocols{rest}"}
    assert codes(judged(texts)) == []


def test_nothing_at_all_says_what_is_missing() -> None:
    report = judged({})
    assert set(codes(report)) == {"no-main-cf", "no-maps", "no-dovecot-sql", "no-dovecot"}
    assert report.texts == ()


def test_a_circle_of_references_ends() -> None:
    texts = changed(
        MAIN_CF, "folder = /etc/postfix", "folder = $folder/$other\nother = $folder$folder"
    )
    assert codes(judged(texts)) == ["map-in-main-cf"]
