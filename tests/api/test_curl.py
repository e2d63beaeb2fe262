"""The contract's curl lines with the real curl, against the real server as it is shipped."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import create_engine, text

from tests.cli import manage
from tests.resilience.server import Server

LOGIN = "username=admin&password=PostMaster&auth_source=PostMaster User"


@dataclass
class Answer:
    """What curl printed: the status, the headers (names in lower case), the body."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Curl:
    """curl in a folder of its own, where its jars are."""

    server: Server
    folder: Path

    def __call__(self, path: str, *options: str) -> Answer:
        done = subprocess.run(
            ["curl", "-s", "-i", f"{self.server.url}{path}", *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        head, _, body = done.stdout.partition("\n\n")
        first, *lines = head.splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        return Answer(int(first.split()[1]), {name.lower(): v for name, v in headers.items()}, body)

    def sign_in(self, form: str = LOGIN, jar: str = "jar") -> Answer:
        """``curl HOST/login -c jar --data FORM``"""
        return self("/login", "-c", jar, "--data", form)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Gunicorn with workers, on a new SQLite database."""
    folder = tmp_path_factory.mktemp("curl")
    uri = f"sqlite:///{folder}/postmaster.sqlite3"
    manage.use_database(folder, uri)
    assert manage.run(folder, "createdb").status == 0
    with Server(uri, folder) as server:
        yield server


@pytest.fixture
def curl(server: Server, tmp_path: Path) -> Curl:
    return Curl(server, tmp_path)


def error(answer: Answer) -> tuple[int, str, str]:
    body = json.loads(answer.body)
    assert answer.headers["content-type"] == "application/json"
    assert body["status"] == answer.status
    return answer.status, body["error"], body["message"]


def test_the_documented_lines_work(curl: Curl) -> None:
    signed_in = curl.sign_in()
    assert (signed_in.status, signed_in.headers["location"]) == (302, "/")
    listed = curl("/api/v1/domains", "-b", "jar")
    assert listed.status == 200
    assert set(json.loads(listed.body)) == {"items", "meta"}


@pytest.mark.parametrize(
    "form",
    [
        "username=admin&password=PostMaster",
        "username=Admin&password=PostMaster&auth_source=PostMaster%20User",
        "username=admin&password=PostMaster&two_factor=",
    ],
)
def test_what_may_be_left_out(curl: Curl, form: str) -> None:
    assert curl.sign_in(form).status == 302
    assert curl("/api/v1/domains", "-b", "jar").status == 200


@pytest.mark.parametrize(
    ("form", "key_words"),
    [
        ("username=admin&password=wrong", "username or password was incorrect"),
        ("username=nobody&password=PostMaster", "username or password was incorrect"),
        (LOGIN.replace("PostMaster User", "example.com"), "username or password was incorrect"),
        ("password=PostMaster", "username was not provided"),
        ("username=admin", "password was not provided"),
        ("", "username was not provided"),
    ],
)
def test_a_refused_sign_in_says_why_and_gives_no_session(
    curl: Curl, form: str, key_words: str
) -> None:
    refusal = curl.sign_in(form)
    assert refusal.status == 200
    assert key_words in refusal.body.lower()
    answer = curl("/api/v1/domains", "-b", "jar")
    assert error(answer)[:2] == (401, "unauthorized")


def test_the_whole_life_of_an_item_by_curl_alone(curl: Curl) -> None:
    curl.sign_in()
    created = curl("/api/v1/domains", "-b", "jar", "--data", '{"name": "Curl.example"}')
    item = json.loads(created.body)
    assert (created.status, item["name"]) == (201, "curl.example")
    assert created.headers["location"] == f"/api/v1/domains/{item['id']}"
    again = curl("/api/v1/domains", "-b", "jar", "--data", '{"name": "curl.example"}')
    assert error(again)[:2] == (400, "bad request")
    assert "already exists" in error(again)[2]
    broken = curl("/api/v1/domains", "-b", "jar", "--data", "name=curl.example")
    assert "invalid request" in error(broken)[2].lower()
    deleted = curl(created.headers["location"], "-b", "jar", "-X", "DELETE")
    assert (deleted.status, deleted.body) == (204, "")
    assert error(curl(created.headers["location"], "-b", "jar"))[:2] == (404, "not found")


def test_a_setting_takes_values_as_scripts_send_them(curl: Curl) -> None:
    curl.sign_in()
    for method in ("PATCH", "PUT"):
        for body in ('{"value": 8}', '{"value": "8"}'):
            answer = curl("/api/v1/configs/1", "-b", "jar", "-X", method, "--data", body)
            assert (answer.status, json.loads(answer.body)["value"]) == (200, "8")


def test_signing_out_ends_the_session_that_the_jar_still_has(curl: Curl) -> None:
    curl.sign_in()
    page = curl("/logout", "-b", "jar", "-c", "after", "-L")
    assert "logged out" in page.body.lower()
    assert error(curl("/api/v1/domains", "-b", "jar"))[0] == 401
    assert error(curl("/api/v1/domains", "-b", "after"))[0] == 401


def test_the_jar_holds_an_http_only_cookie(curl: Curl) -> None:
    header = curl.sign_in().headers["set-cookie"]
    assert header.startswith("postmaster=")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "#HttpOnly_" in (curl.folder / "jar").read_text()


@pytest.mark.parametrize(
    "header", ["Origin: https://elsewhere.example", "Sec-Fetch-Site: same-site"]
)
def test_what_a_browser_would_say_of_another_site_is_refused(curl: Curl, header: str) -> None:
    assert curl.sign_in().status == 302
    assert curl("/login", "-H", header, "--data", LOGIN).status == 403
    answer = curl("/api/v1/domains", "-b", "jar", "-H", header, "--data", '{"name": "x.example"}')
    assert error(answer)[:2] == (403, "forbidden")
    assert curl("/logout", "-b", "jar", "-H", header).status == 403
    assert curl("/api/v1/domains", "-b", "jar").status == 200


def test_a_header_of_a_proxy_that_is_not_listed_is_nothing(curl: Curl) -> None:
    header = ["-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-Host: elsewhere.example"]
    answer = curl("/login", "-c", "jar", *header, "--data", LOGIN)
    assert "Secure" not in answer.headers["set-cookie"]
    first = json.loads(curl("/api/v1/domains", "-b", "jar", *header).body)["meta"]["first"]
    assert first.startswith(f"{curl.server.url}/api/v1/domains")


def test_the_code_goes_with_the_sign_in(curl: Curl) -> None:
    """One step, as scripts do it: password and code together."""
    curl.sign_in()
    body = json.dumps({"username": "carl", "password": "good password", "name": "Carl"})
    number = json.loads(curl("/api/v1/admins", "-b", "jar", "--data", body).body)["id"]
    form = "username=carl&password=good password"
    assert curl.sign_in(form, "carl").status == 302
    path = f"/api/v1/admins/{number}/twofactor"
    assert "may not view" in error(curl(f"{path}/qrcode", "-b", "jar"))[2]
    picture = curl(f"{path}/qrcode", "-b", "carl")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.headers["cache-control"] == "no-store"
    engine = create_engine(curl.server.environment["POSTMASTER_DATABASE_URI"])
    with engine.connect() as connection:
        query = text("SELECT otp_secret FROM postmaster_admins WHERE username = 'carl'")
        secret = connection.scalar(query)
    engine.dispose()
    code = json.dumps({"code": pyotp.TOTP(secret).now()})
    verified = curl(f"{path}/verify", "-b", "carl", "-c", "carl", "--data", code)
    recovery = json.loads(verified.body)["recovery_codes"]
    assert curl(path, "-b", "carl").body.split() == ['{"enabled":true}']
    for missing in (form, f"{form}&two_factor=000000"):
        refusal = curl.sign_in(missing, "other")
        assert "two factor authentication code is incorrect" in refusal.body.lower()
    assert curl.sign_in(f"{form}&two_factor={recovery[0]}", "other").status == 302
    assert curl(f"/api/v1/admins/{number}", "-b", "other", "-X", "DELETE").status == 204
    assert error(curl("/api/v1/domains", "-b", "carl"))[0] == 401
