"""The configurations of the tests' own Postfix and Dovecot, which deliver mail, are right."""

import subprocess
from pathlib import Path

import pytest

from postmaster.rules.server_config import judgement
from postmaster.rules.server_config.findings import Severity
from postmaster.rules.server_config.panel import Panel
from postmaster.rules.server_config.texts import Text
from tests.mail import maps
from tests.mail.dovecot import Dovecot
from tests.mail.postfix import Postfix
from tests.mariadb import program

DATABASE = "servermail"
DATABASE_PORT = 3306
SINK_PORT = 2525


def printed(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("flavour", maps.FLAVOURS)
def test_the_guides_servers_are_right(tmp_path: Path, flavour: str) -> None:
    """As files, and as postconf and doveconf print them. Nothing is started."""
    tmp_path.chmod(0o755)
    postfix = Postfix(tmp_path, SINK_PORT)
    dovecot = Dovecot(tmp_path / "dovecot", postfix.dovecot_sockets)
    maps.write(postfix.configuration, DATABASE_PORT, DATABASE)
    postfix.configure(maps.FLAVOURS[flavour], into_sink=False)
    dovecot.configure(maps.FLAVOURS[flavour], DATABASE_PORT, DATABASE)
    map_files = [maps.path(postfix.configuration, name) for name in maps.QUERIES]
    sql = dovecot.folder / "dovecot-sql.conf.ext"
    files = [postfix.configuration / "main.cf", *map_files, sql, dovecot.file]
    panel = Panel(
        DATABASE,
        "postmaster",
        email2email=flavour == "linode",
        delimiter=maps.FLAVOURS[flavour].delimiter or "none",
        mail_folder=f"{dovecot.mail}/%d/%n",
    )
    as_printed = [
        Text("", printed(program("postconf"), "-c", str(postfix.configuration), "-n")),
        Text("", printed(program("doveconf"), "-n", "-c", str(dovecot.file))),
        Text("", printed("tail", "-n", "+1", *map(str, map_files))),
        Text("", sql.read_text()),
    ]
    for texts in ([Text(str(file), file.read_text()) for file in files], as_printed):
        report = judgement.judge(judgement.read(texts), panel)
        wrong = [f for f in report.findings if f.severity is Severity.ERROR]
        assert wrong == []
        # The tests' servers do without TLS, and let VRFY be.
        warned = {f.code for f in report.findings if f.severity is Severity.WARNING}
        assert warned == {"cleartext", "plain-sign-in", "vrfy"}
        assert report.has_email2email == (flavour == "linode")
        assert report.mail_folder == f"{dovecot.mail}/%d/%n"
        assert maps.PASSWORD not in repr(report)
