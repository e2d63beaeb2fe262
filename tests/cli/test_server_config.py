"""manage.py checkup-server"""

import json
from pathlib import Path

import pytest

from postmaster.db import db
from postmaster.models import SettingRow
from tests.cli.conftest import Commands
from tests.rules.server_texts import GUIDE, MAIN, MAPS, MARKER

pytestmark = pytest.mark.parametrize("app", ["mariadb"], indirect=True)


@pytest.fixture
def folder(manage: Commands, tmp_path: Path) -> Path:
    """/etc as it is on a mail server over this panel's database."""
    with manage.app.app_context():
        database = db.engine.url.database or ""
    etc = tmp_path / "etc"
    for name, text in GUIDE.items():
        place = etc / ("dovecot" if name.startswith("dovecot") else "postfix")
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text.replace("servermail", database))
    (etc / "postfix" / "master.cf").write_text("smtp inet n - y - - smtpd\n")
    (etc / "postfix" / "ldap.cf").write_text("server_host = ldap.example\n")
    dictionary = "default_pass_scheme = MD5\nkey passdb {\n  key = passdb/%u\n}\n"
    (etc / "dovecot" / "dovecot-dict-auth.conf.ext").write_text(dictionary)
    return etc


def test_folders_are_read_and_the_exit_status_tells(manage: Commands, folder: Path) -> None:
    arguments = ("checkup-server", str(folder / "postfix"), str(folder / "dovecot"))
    off = manage.run(*arguments)
    assert off.exit_code == 0, off.output
    assert "WARNING [lesser-setting-differs] PostMaster\n" in off.stdout
    assert "a setting of PostMaster itself. Change it on the page /configs" in off.stdout
    assert '    PATCH /api/v1/configs/13 {"value": "True"}\n' in off.stdout
    assert "0 errors, 1 warnings" in off.stdout
    turn_setting_on(manage)
    fine = manage.run(*arguments)
    assert fine.exit_code == 0, fine.output
    assert "0 errors, 0 warnings" in fine.stdout
    assert "main.cf: Postfix's main.cf" in fine.stdout
    assert "ldap.cf" not in fine.stdout
    assert "dovecot-dict-auth" not in fine.stdout
    sql = folder / "dovecot" / "dovecot-sql.conf.ext"
    sql.write_text(sql.read_text().replace("%u", "%n"))
    wrong = manage.run(*arguments)
    assert wrong.exit_code == 1, wrong.output
    assert f"ERROR [other-place] {sql}" in wrong.stdout
    assert MARKER not in off.output + fine.output + wrong.output


def turn_setting_on(manage: Commands) -> None:
    with manage.app.app_context():
        db.session.query(SettingRow).filter_by(setting="Email2Email Map").update({"value": "True"})
        db.session.commit()


def test_a_file_and_standard_input(manage: Commands, folder: Path) -> None:
    maps = "".join(f"==> {name} <==\n{(folder / 'postfix' / name).read_text()}\n" for name in MAPS)
    result = manage.run(
        "checkup-server", str(folder / "postfix/main.cf"), "-", "--json", given=maps
    )
    report = json.loads(result.stdout)
    assert [text["kind"] for text in report["texts"]].count("a Postfix map") == 4
    assert {"no-dovecot", "no-dovecot-sql"} <= {item["code"] for item in report["findings"]}
    assert report["email2email"] is True
    assert MARKER not in result.output


def test_what_a_folder_includes_is_read(manage: Commands, folder: Path) -> None:
    dovecot = folder / "dovecot"
    (dovecot / "conf.d").mkdir()
    whole = (dovecot / "dovecot.conf").read_text()
    start, end = whole.index("passdb"), whole.index("protocols")
    (dovecot / "dovecot.conf").write_text(whole[:start] + whole[end:] + "!include conf.d/*.conf\n")
    (dovecot / "conf.d" / "10-auth.conf").write_text("!include auth-sql.conf.ext\n")
    (dovecot / "conf.d" / "auth-sql.conf.ext").write_text(whole[start:end])
    (dovecot / "conf.d" / "auth-system.conf.ext").write_text("passdb {\n  driver = pam\n}\n")
    report = json.loads(manage.run("checkup-server", str(dovecot), "--json").stdout)
    assert not {"no-sql-passdb", "system-passdb"} & {item["code"] for item in report["findings"]}


def test_what_cannot_be_read(manage: Commands, tmp_path: Path) -> None:
    result = manage.run("checkup-server", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path}/nowhere: No such file or directory\n"


def test_a_file_that_is_something_else(manage: Commands, tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"\xff\xfe Buy milk")
    result = manage.run("checkup-server", str(tmp_path / "notes"))
    assert result.exit_code == 1
    assert "ERROR [not-recognised]" in result.stdout
    assert MAIN not in result.stdout
