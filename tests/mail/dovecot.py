"""A throw-away Dovecot, set up as the guides say: IMAP, LMTP, and the sign-in for Postfix."""

import imaplib
import os
import subprocess
from pathlib import Path

from tests.mail import maps
from tests.mail.daemon import Daemon, end_of
from tests.mariadb import free_port, program

SECONDS_TO_GREET = 20
VERSION = "2.3."
# The guides' vmail. Dovecot needs the numbers only, no account of that name.
VMAIL = 5000

CONFIGURATION = """
protocols = imap lmtp
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {folder}
log_path = {folder}/log/dovecot.log
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{mail}/%d/%n
mail_privileged_group =
auth_mechanisms = plain login
auth_cache_size = 0
# A wrong password is answered after half a second, the least that Dovecot takes.
auth_failure_delay = 0
recipient_delimiter = {delimiter}

passdb {{
  driver = sql
  args = {folder}/dovecot-sql.conf.ext
}}
userdb {{
  driver = static
  args = uid={vmail} gid={vmail} home={mail}/%d/%n
}}
namespace inbox {{
  inbox = yes
}}

service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
  service_count = 0
  process_min_avail = 1
}}
service lmtp {{
  unix_listener {sockets}/dovecot-lmtp {{
    mode = 0600
    user = postfix
    group = postfix
  }}
}}
service auth {{
  unix_listener {sockets}/auth {{
    mode = 0666
    user = postfix
    group = postfix
  }}
  unix_listener auth-userdb {{
    mode = 0600
    user = root
  }}
}}
service anvil {{
  # Without it, nobody who guesses wrong has to wait.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
SQL = """
driver = mysql
connect = host=127.0.0.1 port={port} dbname={database} user={user} password={password}
default_pass_scheme = SHA512-CRYPT
password_query = {query};
"""


class Dovecot:
    """From start to stop; it can be configured anew between."""

    def __init__(self, folder: Path, sockets: Path) -> None:
        self.folder = folder
        self.sockets = sockets
        self.mail = folder / "vhosts"
        self.port = 0
        self.log = folder / "log" / "dovecot.log"
        self._daemon = Daemon(folder / "log" / "dovecot.out")
        self._make_folders()

    def _make_folders(self) -> None:
        for name in ("run", "state", "log", "vhosts"):
            (self.folder / name).mkdir(mode=0o755, parents=True)
        os.chown(self.mail, VMAIL, VMAIL)

    @property
    def file(self) -> Path:
        return self.folder / "dovecot.conf"

    def configure(self, flavour: maps.Flavour, port: int, database: str) -> None:
        """Write the two configuration files."""
        self.port = free_port()
        self.file.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                mail=self.mail,
                # Neither guide sets it, so it is + also where Postfix has none.
                delimiter=flavour.delimiter or "+",
                vmail=VMAIL,
                port=self.port,
                sockets=self.sockets,
            ),
            encoding="utf-8",
        )
        (self.folder / "dovecot-sql.conf.ext").write_text(
            SQL.format(
                port=port,
                database=database,
                user=maps.READER,
                password=maps.PASSWORD,
                query=maps.SIGN_IN,
            ),
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start Dovecot and wait until it greets."""
        version = subprocess.run(
            [program("dovecot"), "--version"], check=True, capture_output=True, text=True
        ).stdout
        if not version.startswith(VERSION):
            raise RuntimeError(f"The tests know Dovecot {VERSION}x, here is {version}")
        command = [program("dovecot"), "-F", "-c", str(self.file)]
        if not self._daemon.start(command, self._greet):
            raise RuntimeError(f"Dovecot does not start:\n{self.tail()}")

    def _greet(self) -> None:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=SECONDS_TO_GREET):
            pass

    def stop(self) -> None:
        """Stop Dovecot."""
        self._daemon.stop()

    def tail(self) -> str:
        """The end of what Dovecot wrote into its log."""
        return end_of(self._daemon.output, self.log)
