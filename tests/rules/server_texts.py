"""The configuration of a mail server as the guides have it, to be changed by a test."""

from collections.abc import Mapping

from postmaster.rules.server_config import judgement
from postmaster.rules.server_config.findings import Report
from postmaster.rules.server_config.panel import Panel
from postmaster.rules.server_config.texts import Text

# In the place of every password; nothing that is shown may have it.
MARKER = "Xq7-hidden"
DATABASE = "servermail"
LINODE = Panel(DATABASE, "postmaster", email2email=True, delimiter="+")
DIGITALOCEAN = Panel(DATABASE, "postmaster", email2email=False, delimiter="none")


def a_map(query: str, database: str = DATABASE) -> str:
    """A map file as the guides write it."""
    return (
        f"user = mailuser\npassword = {MARKER}\nhosts = 127.0.0.1\n"
        f"dbname = {database}\nquery = {query}\n"
    )


MAIN = """\
# See /usr/share/postfix/main.cf.dist
smtpd_banner = $myhostname ESMTP
myhostname = mail.example.com
mydestination = localhost
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
recipient_delimiter = +
disable_vrfy_command = yes
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = yes
smtpd_recipient_restrictions =
    permit_sasl_authenticated,
# mail from here
    permit_mynetworks,
    reject_unauth_destination
folder = /etc/postfix
virtual_transport = lmtp:unix:private/dovecot-lmtp
virtual_mailbox_domains = mysql:$folder/mysql-virtual-mailbox-domains.cf
virtual_mailbox_maps = mysql:${folder}/mysql-virtual-mailbox-maps.cf
virtual_alias_maps = mysql:/etc/postfix/mysql-virtual-alias-maps.cf,
  mysql:/etc/postfix/mysql-virtual-email2email.cf
"""
SQL = f"""\
driver = mysql
connect = host=127.0.0.1 dbname={DATABASE} user=mailuser password={MARKER}
default_pass_scheme = SHA512-CRYPT
password_query = SELECT email as user, password FROM virtual_users WHERE email='%u';
"""
DOVECOT = """\
# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
auth_mechanisms = plain login
mail_location = maildir:/var/mail/vhosts/%d/%n/
passdb {
  args = /etc/dovecot/dovecot-sql.conf.ext
  driver = sql
}
protocols = " imap lmtp"
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
  }
}
ssl = required
userdb {
  args = uid=vmail gid=vmail home=/var/mail/vhosts/%d/%n
  driver = static
}
"""
DOVECOT_24 = f"""\
dovecot_config_version = 2.4.1
sql_driver = mysql
mysql 127.0.0.1 {{
  user = mailuser
  password = {MARKER}
  dbname = {DATABASE}
}}
auth_username_format = %{{user | lower}}
mail_driver = maildir
mail_home = /var/mail/vhosts/%{{user | domain}}/%{{user | username}}
mail_path = ~/Maildir
passdb sql {{
  passdb_default_password_scheme = SHA512-CRYPT
  query = SELECT email AS user, password FROM virtual_users WHERE email = '%{{user}}'
}}
service auth {{
  unix_listener /var/spool/postfix/private/auth {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener /var/spool/postfix/private/dovecot-lmtp {{
    mode = 0600
    user = postfix
  }}
}}
userdb static {{
  fields {{
    uid = vmail
    gid = vmail
    home = /var/mail/vhosts/%{{user | domain}}/%{{user | username}}
  }}
}}
"""
GUIDE: Mapping[str, str] = {
    "main.cf": MAIN,
    "mysql-virtual-mailbox-domains.cf": a_map("SELECT 1 FROM virtual_domains WHERE name='%s'"),
    "mysql-virtual-mailbox-maps.cf": a_map("SELECT 1 FROM virtual_users WHERE email='%s'"),
    "mysql-virtual-alias-maps.cf": a_map(
        "SELECT destination FROM virtual_aliases WHERE source='%s'"
    ),
    "mysql-virtual-email2email.cf": a_map("SELECT email FROM virtual_users WHERE email='%s'"),
    "dovecot-sql.conf.ext": SQL,
    "dovecot.conf": DOVECOT,
}
MAPS = [name for name in GUIDE if name.startswith("mysql-")]


def changed(name: str, old: str, new: str) -> dict[str, str]:
    """The guides' texts with one place of one text changed."""
    assert old in GUIDE[name], f"{name} has no {old}"
    return {**GUIDE, name: GUIDE[name].replace(old, new)}


def without(*names: str) -> dict[str, str]:
    """The guides' texts but for these."""
    return {name: text for name, text in GUIDE.items() if name not in names}


def judged(texts: Mapping[str, str], panel: Panel = LINODE) -> Report:
    """What is said of these texts."""
    return judgement.judge(judgement.read(Text(name, text) for name, text in texts.items()), panel)


def said(report: Report) -> str:
    """Everything that a report can show, in one text."""
    parts = [repr(report), str(report.plain())]
    for finding in report.findings:
        parts += [finding.sentence(), finding.meaning(), *finding.write]
    return "\n".join(parts)
