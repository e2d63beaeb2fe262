"""No password of the mail server's configuration comes out again; no text breaks the reading."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postmaster.rules.server_config import judgement
from postmaster.rules.server_config.masking import MASK, masked
from postmaster.rules.server_config.texts import Text
from tests.rules.server_texts import GUIDE, LINODE, MARKER, judged, said

# Where people have a password: lines of a map, of Dovecot's SQL file, of main.cf, of Dovecot's.
STRANGE = {
    "mysql-virtual-mailbox-maps.cf": [
        "password = {}",
        "PASSWORD = {}",
        "password\t=\t{}",
        "  password={}",
        "password =\n   {}",
        "password = two {}",
        'password = "two {}',
        "query = SELECT 1 FROM virtual_users WHERE email='%s' AND password = '{}'",
        "query = SELECT 1 FROM virtual_users WHERE email='%s' AND Password\t=\t{}",
        "hosts = mysql://mailuser:{}@127.0.0.1/servermail",
        "dbname = mailuser:{}@servermail",
        "user = mailuser password={}",
        "domain = mysql://u:p{}",
        "{} = password",
        "password {}",
    ],
    "dovecot-sql.conf.ext": [
        "connect = host=127.0.0.1 password={} user=mailuser dbname=old",
        "connect = host=127.0.0.1 dbname=old user=mailuser PASSWORD={}",
        "connect = \"host=127.0.0.1 dbname=old password='two user={}' user=mailuser\"",
        "connect = host=127.0.0.1 dbname=old password='two user={}",
        "connect = host=h dbname=old \\\n  password={} \\\n  user=mailuser",
        "connect = mysql://mailuser:{}@127.0.0.1/old",
        "password_query = SELECT '{}' AS x FROM users WHERE passwd=\"{}\"",
        "password_query = SELECT email AS user, '{{PLAIN}}{}' AS password FROM virtual_users",
        "password_query = SELECT 1 FROM users WHERE a='%u AND b='{}'",
        "default_pass_scheme = PLAIN password={}",
        "pass = {}",
    ],
    "main.cf": [
        "maps_password = {}",
        "smtp_sasl_password_maps = static:user:{}",
        "virtual_transport = smtp:user:{}@relay.example",
        "virtual_mailbox_domains = pgsql://u:{}@127.0.0.1/db",
        "virtual_mailbox_maps = mysql:maps\nmaps_password = {}",
        "my_pw = {}\nvirtual_alias_maps = hash:$my_pw",
        "recipient_delimiter = secret: {}",
        "{}",
    ],
    "dovecot.conf": [
        "passdb {{\n  driver = static\n  args = proxy=y password={} nopassword=y\n}}",
        "passdb static {{\n  password = {}\n}}",
        "mysql 127.0.0.1 {{\n  password = {}\n  dbname = old\n}}",
        "doveadm_password = {}",
        "ssl_key_password = {}",
        "userdb {{\n  driver = static\n  default_fields = home=/x pass={}\n}}",
        "mail_location = maildir:/var/mail/%n password={}",
    ],
}
CASES = [(name, line) for name, lines in STRANGE.items() for line in lines]


@pytest.mark.parametrize(("name", "line"), CASES)
def test_no_password_comes_out(name: str, line: str) -> None:
    """Wherever it stands: at the end, and at the beginning."""
    line = line.replace("{}", MARKER).replace("{{", "{").replace("}}", "}")
    for text in (f"{GUIDE[name]}\n{line}\n", f"{line}\n{GUIDE[name]}"):
        for texts in ({**GUIDE, name: text}, {"": text}):
            server = judgement.read(Text(name, content) for name, content in texts.items())
            assert MARKER not in repr(server)
            assert MARKER not in said(judged(texts))


def test_a_text_does_not_print_its_content() -> None:
    assert MARKER not in repr(Text("main.cf", MARKER))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("password='a b' AND email='%u'", f"password={MASK} AND email='%u'"),
        ("mysql://u:p@h/db and more", f"mysql://{MASK} and more"),
        ("u:p/x@host", f"u:{MASK}@host"),
        ("SELECT email AS user, password FROM virtual_users", None),
        ("maildir:/var/mail/%n@%d", None),
        ("lmtp:unix:private/dovecot-lmtp", None),
    ],
)
def test_what_is_masked(value: str, shown: str | None) -> None:
    assert masked(value) == (shown or value)


PIECES = st.sampled_from(
    [
        *("passdb", "userdb", "sql", "{", "}", "=", " ", "\n", "\\", "#", "'", '"', "`", "$", "%u"),
        *("${", "$x", "x = $x", "query = ", "SELECT", " FROM ", "virtual_users", " WHERE ", "%{"),
        *("connect = ", "password=", "==> a <==\n", "main.cf", "virtual_alias_maps = mysql:/a,"),
        *("mydestination = ", "args = ", "\x00", "\ud800", "\u202e", "mail_location = ", ":", "~"),
        *("protocol lmtp {\n", "auth_username_format=%", "proxy:", "!include x", "dbname=a\n"),
    ]
)
TEXT = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.text(max_size=10), TEXT), max_size=4))
@example([("", "}" * 50), ("", "{" * 50)])
@example([("", "passdb {\n" * 200)])
@example([("", "query = " + "SELECT (" * 500)])
@example([("", "virtual_alias_maps = " + "{" * 5000)])
@example([("", "connect = " + "'" * 5000 + "\nuser_query = " + '"\\' * 5000)])
def test_any_text_can_be_given(texts: list[tuple[str, str]]) -> None:
    report = judgement.judge(judgement.read(Text(name, content) for name, content in texts), LINODE)
    assert said(report).encode("utf-8")
