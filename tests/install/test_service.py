"""ops/postmaster.service and ops/nginx.conf: hardened, and right as they stand there.

gunicorn and nginx are real, started by the files' own lines; only paths and the port are others.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postmaster.rules.imports import uploads
from postmaster.security import LARGE_BODIES
from tests.conftest import SECRET_KEY, Prepared
from tests.install.panel import Panel
from tests.mariadb import free_port, program

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "ops" / "postmaster.service"
SITE = (ROOT / "ops" / "nginx.conf").read_text(encoding="utf-8")
GUNICORN = "/opt/postmaster/env/bin/gunicorn"
STATIC = "/opt/postmaster/git/postmaster/static/"
HIGHEST_EXPOSURE = 20  # tenths, of systemd-analyze's 100
SECONDS_TO_START = 30
# As Debian's nginx.conf has it around the sites.
NGINX = """
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    gzip on;
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    include {folder}/site;
}}
"""

Serve = Callable[..., Panel]


def option(name: str) -> str:
    """An option of the unit; of one that stands there twice, the first."""
    text = UNIT.read_text(encoding="utf-8").replace("\\\n", "")
    found = re.search(rf"(?m)^{name}=(.*)$", text)
    assert found is not None, name
    return found[1]


@contextmanager
def gunicorn(folder: Path, uri: str) -> Iterator[subprocess.Popen[bytes]]:
    """The unit's process, once it has told systemd that it is ready."""
    command = shlex.split(option("ExecStart").replace("/run/postmaster", str(folder)))
    assert command[0] == GUNICORN
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(SECONDS_TO_START)
        environment = dict(each.split("=") for each in option("Environment").split())
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *command[1:]],
            cwd=ROOT,
            env=os.environ
            | environment
            | {
                "WEB_CONCURRENCY": "1",
                "NOTIFY_SOCKET": str(folder / "notify"),
                "POSTMASTER_CONFIG": str(folder / "postmaster.toml"),
                "POSTMASTER_DATABASE_URI": uri,
                "POSTMASTER_SECRET_KEY": SECRET_KEY,
                "POSTMASTER_LOG_FILE": str(folder / "postmaster.log"),
            },
            start_new_session=True,
        )
        try:
            assert b"READY=1" in systemd.recv(1000)
            yield process
        finally:
            process.terminate()
            assert process.wait(timeout=int(option("TimeoutStopSec"))) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def running(folder: Path, prepared_sqlite: Prepared) -> Iterator[subprocess.Popen[bytes]]:
    """gunicorn on its socket."""
    uri = prepared_sqlite.app.config["SQLALCHEMY_DATABASE_URI"]
    with gunicorn(folder, uri.render_as_string(hide_password=False)) as process:
        yield process


@pytest.fixture
def serving(running: subprocess.Popen[bytes], prepared_sqlite: Prepared) -> subprocess.Popen[bytes]:
    """The same, with the first rows alone in its database."""
    prepared_sqlite.reset()
    return running


@pytest.fixture
def serve(folder: Path, serving: subprocess.Popen[bytes]) -> Iterator[Serve]:
    """nginx in front of gunicorn, with the site; a client of it at an address of this host."""
    assert serving.poll() is None
    configuration = folder / "nginx.conf"
    command = [program("nginx"), "-c", str(configuration)]
    port = free_port()

    def start(site: str, scheme: str = "http", certificate: str | None = None) -> Panel:
        user = "user root;" if os.geteuid() == 0 else ""
        configuration.write_text(NGINX.format(folder=folder, user=user), encoding="utf-8")
        replaced = site.replace("listen 8082", f"listen 127.0.0.1:{port}")
        replaced = re.sub(r"(?m)^ *listen \[::\].*\n", "", replaced)
        replaced = replaced.replace("/run/postmaster", str(folder))
        replaced = replaced.replace("/var/log/nginx", str(folder))
        replaced = replaced.replace(STATIC, f"{ROOT}/postmaster/static/")
        (folder / "site").write_text(replaced, encoding="utf-8")
        tested = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
        assert tested.returncode == 0, tested.stderr
        subprocess.run(command, check=True)  # it listens once the command has ended
        return Panel(f"{scheme}://127.0.0.1:{port}", certificate)

    try:
        yield start
    finally:
        if (folder / "nginx.pid").exists():
            subprocess.run([*command, "-s", "stop"], check=True, capture_output=True)


def test_the_unit_is_hardened() -> None:
    said = subprocess.run(
        [
            *("systemd-analyze", "security", "--offline=true", "--no-pager"),
            *(f"--threshold={HIGHEST_EXPOSURE}", str(UNIT)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_systemd_reads_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace(GUNICORN, sys.executable)
    unit.write_text(text, encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_a_wrong_configuration_is_refused_before_the_start(tmp_path: Path) -> None:
    """The unit's check says which key it is, as its last line."""
    command = shlex.split(option("ExecStartPre"))
    said = subprocess.run(
        [sys.executable, "-m", "gunicorn", *command[1:]],
        cwd=ROOT,
        env=os.environ | {"POSTMASTER_SECRET_KEY": "short", "TMPDIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 1
    assert "POSTMASTER_SECRET_KEY: it must be" in said.stderr.splitlines()[-1]


def test_nginx_passes_on_who_the_client_is(serve: Serve, folder: Path) -> None:
    first = serve(SITE)
    first.sign_in()
    first.turn_on("Login Auditing")
    client = Panel(first.url, address="127.0.0.2")
    forged = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "99",
        "X-Forwarded-Prefix": "/evil",
        "Script_Name": "/evil",
    }
    client.session.headers.update(forged)
    signed_in = client.sign_in()
    assert signed_in.headers["Location"] == "/"
    assert "Secure" not in signed_in.headers["Set-Cookie"]
    newest = (folder / "postmaster.log").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(newest)["ip"] == "127.0.0.2"
    listed = client.ask("GET", "/api/v1/domains").json()
    assert listed["meta"]["first"] == f"{first.url}/api/v1/domains?page=1"


def test_static_files_come_from_nginx_alone(serve: Serve, serving: subprocess.Popen[bytes]) -> None:
    panel = serve(SITE)
    paths = panel.static_paths()
    assert len(paths) > 3
    os.killpg(serving.pid, signal.SIGSTOP)
    try:
        for path in paths:
            answer = panel.ask("GET", path)
            assert answer.status_code == 200, path
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        unmarked = panel.ask("GET", paths[0].partition("?")[0])
        assert "Cache-Control" not in unmarked.headers
        font = panel.ask("GET", "/static/vendor/lato-400.woff2")
        assert font.headers["Cache-Control"] == "public, max-age=604800"
        for kind in (".css", ".js"):
            file = next(path for path in paths if kind in path)
            assert panel.ask("GET", file).headers["Content-Encoding"] == "gzip"
        assert panel.ask("GET", "/static/").status_code == 403, "the folder is listed"
    finally:
        os.killpg(serving.pid, signal.SIGCONT)


def test_nginx_compresses_no_page(serve: Serve) -> None:
    """Its length would tell of the token in it; Debian's nginx compresses pages by default."""
    panel = serve(SITE)
    panel.sign_in()
    answer = panel.ask("GET", "/")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Content-Encoding" not in answer.headers


def test_the_largest_file_passes_nginx(serve: Serve) -> None:
    (most,) = re.findall(r"client_max_body_size (\d+)m;", SITE)
    assert int(most) * 1024**2 > max(LARGE_BODIES.values())
    panel = serve(SITE)
    panel.sign_in()
    line = "user,a@b.example,\n"
    answer = panel.ask(
        "POST",
        "/import",
        data={"csrf_token": panel.token("/import")},
        files={"files": ("users.csv", line * ((uploads.MOST_BYTES - 1000) // len(line)))},
    )
    assert answer.status_code == 400, "not nginx's 413"
    assert "PostMaster" in answer.text


def test_https_is_right_when_it_is_uncommented(serve: Serve, tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", tmp_path / "postmaster.key", "-out", tmp_path / "postmaster.pem"),
        ],
        check=True,
        capture_output=True,
    )
    site = re.sub(r"(?m)^( *)#ssl", r"\1ssl", SITE).replace("listen 8082;", "listen 8082 ssl;")
    site = re.sub(r"/etc/ssl/(certs|private)", str(tmp_path), site)
    panel = serve(site, "https", str(tmp_path / "postmaster.pem"))
    assert "Secure" in panel.sign_in().headers["Set-Cookie"]


def test_the_socket_is_for_the_units_account_alone(serving: subprocess.Popen[bytes]) -> None:
    """gunicorn lets everybody connect, so the folder must not let everybody in."""
    assert serving.poll() is None
    assert option("RuntimeDirectoryMode") == "0750"
    assert option("RuntimeDirectory") == "postmaster"
    assert (option("User"), option("Group")) == ("www-data", "www-data")
