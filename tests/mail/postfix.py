"""A throw-away Postfix, set up as the guides say: its own configuration, queue and port."""

import os
import pwd
import shutil
import smtplib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.mail import maps
from tests.mail.daemon import Daemon, end_of
from tests.mail.maillog import MailLog
from tests.mariadb import free_port, program

SECONDS_TO_GREET = 20
HOST = "mx.panel.example"
EMPTY = "empty lookup result"  # a warning: the row counts as none
# As the installation makes them: who owns each, and who may enter (postfix-files).
QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("private", "saved", "trace"),
)

# smtpd remembers how it classed an address; with max_use=1 each connection asks anew.
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd -o max_use=1
cleanup    unix n - n - 0 cleanup
qmgr       unix n - n 300 1 qmgr
rewrite    unix - - n - - trivial-rewrite
bounce     unix - - n - 0 bounce
defer      unix - - n - 0 bounce
trace      unix - - n - 0 bounce
proxymap   unix - - n - - proxymap
smtp       unix - - n - - smtp
lmtp       unix - - n - - lmtp
error      unix - - n - - error
retry      unix - - n - - error
showq      unix n - n - - showq
postlog    unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """From start to stop; it can be configured anew between."""

    def __init__(self, folder: Path, sink_port: int) -> None:
        self.folder = folder
        self.configuration = folder / "postfix"
        self.queue = folder / "queue"
        self.sink_port = sink_port
        self.port = 0
        self.log = MailLog(folder / "log" / "mail.log")
        self._daemon = Daemon(folder / "log" / "master.out")
        self._make_folders()

    def _make_folders(self) -> None:
        owner = pwd.getpwnam("postfix").pw_uid
        for folder in (self.configuration, self.queue, self.log.file.parent):
            folder.mkdir(mode=0o755)
        data = self.folder / "data"
        for folder in (data, *(self.queue / name for name in QUEUES)):
            folder.mkdir(mode=0o700)
            os.chown(folder, owner, -1)
        (self.queue / "pid").mkdir(mode=0o755)
        for name, mode in (("public", 0o710), ("maildrop", 0o730)):
            (self.queue / name).mkdir()
            (self.queue / name).chmod(mode)
            shutil.chown(self.queue / name, owner, "postdrop")

    @property
    def dovecot_sockets(self) -> Path:
        """Where the guides let Dovecot make its sockets for Postfix."""
        return self.queue / "private"

    def configure(self, flavour: maps.Flavour, *, into_sink: bool) -> None:
        """Write main.cf and master.cf; ``into_sink`` sends mailboxes' mail to the sink."""
        self.port = free_port()
        sink = f"inet:127.0.0.1:{self.sink_port}"
        alias_maps = [maps.table(self.configuration, name) for name in flavour.alias_maps]
        settings = {
            "compatibility_level": "3.6",
            # As the guides say.
            "virtual_transport": f"lmtp:{sink}" if into_sink else "lmtp:unix:private/dovecot-lmtp",
            "virtual_mailbox_domains": maps.table(self.configuration, "virtual-mailbox-domains"),
            "virtual_mailbox_maps": maps.table(self.configuration, "virtual-mailbox-maps"),
            "virtual_alias_maps": ", ".join(alias_maps),
            "recipient_delimiter": flavour.delimiter,
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": "private/auth",
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated,"
            " reject_unauth_destination",
            # Where it lives.
            "queue_directory": str(self.queue),
            "data_directory": str(self.folder / "data"),
            "maillog_file": str(self.log.file),
            "maillog_file_prefixes": str(self.log.file.parent),
            "myhostname": HOST,
            "myorigin": "$myhostname",
            "mydestination": "localhost",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            # The tests come from another network, as strangers do.
            "mynetworks": "192.0.2.1/32",
            # Nothing leaves this machine, and nothing asks the DNS.
            "default_transport": f"smtp:{sink.removeprefix('inet:')}",
            "relay_transport": "$default_transport",
            "local_transport": "$default_transport",
            "local_recipient_maps": "",
            "alias_maps": "",
            "alias_database": "",
            "smtp_dns_support_level": "disabled",
            "smtpd_peername_lookup": "no",
            # Quick: no penalties for errors, no waiting for more mail.
            "smtpd_error_sleep_time": "0",
            "smtpd_soft_error_limit": "100000",
            "smtpd_hard_error_limit": "100000",
            "smtpd_client_connection_count_limit": "0",
            "in_flow_delay": "0",
            "default_destination_concurrency_limit": "20",
            "initial_destination_concurrency": "20",
            "enable_long_queue_ids": "yes",
            "notify_classes": "",
            "smtputf8_enable": "yes",
            **flavour.others,
        }
        main = "".join(f"{name} = {value}\n" for name, value in settings.items())
        maps.write_file(self.configuration / "main.cf", main)
        services = SERVICES.format(port=self.port).lstrip()
        maps.write_file(self.configuration / "master.cf", services)

    def start(self) -> None:
        """Start Postfix and wait until it greets."""
        daemons = subprocess.run(
            [program("postconf"), "-c", str(self.configuration), "-h", "daemon_directory"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        command = [f"{daemons}/master", "-c", str(self.configuration), "-d"]
        if not self._daemon.start(command, self._greet):
            raise RuntimeError(f"Postfix does not start:\n{self.tail()}")

    def _greet(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=SECONDS_TO_GREET) as smtp:
            smtp.noop()

    def stop(self) -> None:
        """Stop Postfix; mail in its queue stays there."""
        self._daemon.stop()

    def tail(self) -> str:
        """The end of what Postfix wrote into its log."""
        return end_of(self._daemon.output, self.log.file)

    def lookup(self, name: str, keys: Sequence[str]) -> dict[str, str]:
        """What ``postmap -q`` finds for these keys; keys that are not there are left out."""
        found = subprocess.run(
            [
                *(program("postmap"), "-c", str(self.configuration), "-q", "-"),
                maps.table(self.configuration, name),
            ],
            input="".join(f"{key}\n" for key in keys).encode(),
            check=False,  # status 1: none of them is there
            capture_output=True,
        )
        errors = [line for line in found.stderr.decode().splitlines() if EMPTY not in line]
        if errors:
            raise RuntimeError("\n".join(errors))
        # An answer may have line ends in it; what begins with no key goes on with the last.
        answers: dict[str, str] = {}
        key = ""
        for line in found.stdout.decode().removesuffix("\n").split("\n"):
            begun, tab, answer = line.partition("\t")
            if tab and begun in keys:
                key, answers[begun] = begun, answer
            elif key:
                answers[key] += f"\n{line}"
        return answers
