"""The container without an engine: what ops/Containerfile copies, run as it says, in a tree.

The tree is read-only but for the log's folder, as the container is. The environment is that of
the tests in place of the image's.
"""

import json
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from postmaster import config
from tests.conftest import SECRET_KEY
from tests.install import guide
from tests.install.installation import DATABASE, PASSWORD, PORT, mail_database, statements
from tests.install.panel import Panel
from tests.install.tree import Tree

ROOT = Path(__file__).parent.parent.parent
CONTAINERFILE = ROOT / "ops" / "Containerfile"
COMPOSE = yaml.safe_load((ROOT / "ops" / "compose.yaml").read_text(encoding="utf-8"))
ENVIRONMENT = "/opt/postmaster/env"
LOGS = "/opt/postmaster/logs"
SECRETS = "/opt/secrets"
URI = f"mysql://postmasteruser:{PASSWORD}@127.0.0.1:{PORT}/{DATABASE}"
READY = "\0postmaster is ready"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30  # compose.yaml's stop_grace_period


@dataclass
class Image:
    """What the last stage of ops/Containerfile makes."""

    instructions: list[tuple[str, str]]
    settings: dict[str, str] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The words of an instruction that stands there once."""
        (words,) = [words for each, words in self.instructions if each == name]
        return words

    def command(self, name: str) -> list[str]:
        """The command of an instruction in its form as JSON."""
        found: list[str] = json.loads(self.one(name).rpartition("CMD ")[2])
        return found


def read_containerfile() -> Image:
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition(" ") for line in text.splitlines() if line and line[0] != "#"]
    stages = [number for number, line in enumerate(lines) if line[0] == "FROM"]
    image = Image([(name, words.strip()) for name, _, words in lines[stages[-1] + 1 :]])
    image.settings = dict(each.split("=", 1) for each in shlex.split(image.one("ENV")))
    return image


@dataclass
class Container:
    """The image in a tree."""

    tree: Tree
    image: Image

    def build(self) -> None:
        """Do what COPY and RUN say; then nothing can change."""
        # The tests' environment may be in root's home, which is for root alone.
        self.tree.run(f"mkdir -p /opt/postmaster {SECRETS}; chmod a+x /root")
        self.tree.run(f"ln -s {sys.prefix} {ENVIRONMENT}")
        for name, words in self.image.instructions:
            if name == "COPY" and not words.startswith("--from"):
                *sources, target = words.split()
                for source in sources:
                    self._copy(source, target)
            if name == "RUN":
                self.tree.run(words)
        for name, content in (("database_uri", URI), ("secret_key", SECRET_KEY)):
            self.tree.write(f"{SECRETS}/{name}", f"{content}\n")
        self.tree.run(
            f"mount -t tmpfs -o uid=10001,gid=10001,mode=750 tmpfs {LOGS};"
            " mount -o remount,bind,ro /; mount -o remount,ro /tmp"
        )

    def _copy(self, source: str, target: str) -> None:
        """A folder's content, or a file, comes into the folder that is named."""
        self.tree.run(f"mkdir -p {target}")
        content = f"{ROOT / source}/." if (ROOT / source).is_dir() else f"{ROOT / source}"
        copied = ["cp", "--recursive", "--preserve=mode,timestamps", content]
        subprocess.run([*copied, f"{self.tree.root}{target}"], check=True)

    def command(self, command: list[str], **variables: str) -> list[str]:
        """A command of the container, as its user, with its variables and these."""
        user, _, group = self.image.one("USER").partition(":")
        settings = self.image.settings | variables
        return self.tree.entered(
            [
                *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"),
                *("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"),
                *("env", "-i", f"--chdir={self.image.one('WORKDIR')}"),
                *(f"{name}={value}" for name, value in settings.items()),
                *command,
            ]
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the container to its end, with these arguments and variables."""
        entry = self.image.command("ENTRYPOINT")
        return self._run([*entry, *arguments], **variables)

    def health(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """What the health check says."""
        return self._run(self.image.command("HEALTHCHECK"), **variables)

    def _run(self, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(command, **variables),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_TO_START,
        )

    @contextmanager
    def serving(self, **variables: str) -> Iterator[None]:
        """The container while it serves; then SIGTERM ends it."""
        ready = {"NOTIFY_SOCKET": READY.replace("\0", "@")}
        entry = self.image.command("ENTRYPOINT")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(READY)
            listener.settimeout(SECONDS_TO_START)
            process = subprocess.Popen(self.command(entry, **ready, **variables))
            try:
                assert b"READY=1" in listener.recv(1000)
                yield
            finally:
                self.tree.run("pkill -TERM --oldest -f 'gunicorn --bind'")
                assert process.wait(timeout=SECONDS_TO_STOP) == 0


def test_from_an_empty_container_to_a_sign_in(tree: Tree) -> None:
    """One test, since each step needs what those before it have made."""
    with mail_database(tree) as mariadb:
        for statement in statements("1. A database user"):
            mariadb.run("mysql", statement)
        container = Container(tree, read_containerfile())
        container.build()
        check_refusals(container)
        check_preparation(container)
        check_serving(
            container,
            DB_URI_FILE=f"{SECRETS}/database_uri",
            SECRET_KEY_FILE=f"{SECRETS}/secret_key",
            POSTMASTER_HOSTS=".panel.example",
        )


def check_refusals(container: Container) -> None:
    """One line for each thing that is missing, and status 1; the last has all that it needs
    from the environment alone.
    """
    for variables, said in (
        ({}, "no database was given"),
        ({"DB_URI": URI}, "no secret key was given"),
        ({"DB_URI": URI, "SECRET_KEY_FILE": "/none"}, "SECRET_KEY_FILE: /none cannot be read"),
        (
            {"DB_URI": URI, "SECRET_KEY": SECRET_KEY, "POSTMASTER_LOG_FILE": "/opt/x/log"},
            "it runs as 10001:10001, which cannot write /opt/x/log",
        ),
    ):
        refused = container.run(**variables)
        assert refused.returncode == 1
        assert refused.stdout.startswith(f"PostMaster cannot start: {said}"), refused.stdout
        assert refused.stdout.count("\n") == 1


def check_preparation(container: Container) -> None:
    """A command of manage.py needs no key; serving prepares nothing by itself."""
    prepared = container.run("upgradedb", DB_URI=URI)
    assert prepared.returncode == 0, prepared.stdout
    assert "The tables are ready" in prepared.stdout


def check_serving(container: Container, **variables: str) -> None:
    """It is healthy, one signs in, and the log is in the volume."""
    with container.serving(**variables):
        healthy = container.health(**variables)
        assert (healthy.returncode, healthy.stdout) == (0, '{"status":"ok"}\n')
        panel = Panel()
        panel.session.headers["Host"] = "www.panel.example"
        panel.sign_in()
        panel.turn_on("Login Auditing")
        panel.sign_in()
        assert "signed in" in panel.ask("GET", "/logs").text
        assert '"auth"' in container.tree.run(f"tail -n 1 {LOGS}/postmaster.log")
    assert container.health(**variables).returncode == 1


def test_the_commands_of_the_page_make_the_secrets_of_the_compose_file(tmp_path: Path) -> None:
    (commands,) = guide.under("container.md", "With a MariaDB of its own", "sh", "secrets")
    (tmp_path / "ops").mkdir()
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True)
    wanted = {secret["file"] for secret in COMPOSE["secrets"].values()}
    made = (tmp_path / "ops" / "secrets").iterdir()
    assert {f"secrets/{file.name}" for file in made} == wanted
    uri = config.parse_database_uri((tmp_path / "ops/secrets/database_uri").read_text())
    database = COMPOSE["services"]["database"]["environment"]
    password = (tmp_path / "ops/secrets/database_password").read_text()
    assert (uri.username, uri.password) == (database["MARIADB_USER"], password)
    assert (uri.host, uri.database) == ("database", database["MARIADB_DATABASE"])
    key = (tmp_path / "ops/secrets/secret_key").read_text().strip()
    assert len(key) >= config.SHORTEST_SECRET_KEY


@pytest.mark.parametrize("name", ["prepare", "postmaster"])
def test_the_compose_files_services_may_change_nothing(name: str) -> None:
    service: dict[str, Any] = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == [f"logs:{LOGS}"]
    variables = {f"{key.old_variable}_FILE" for key in config.KEYS.values() if key.old_variable}
    assert set(service["environment"]) == variables
    for secret in service["environment"].values():
        assert secret.removeprefix("/run/secrets/") in service["secrets"]


def test_both_engines_leave_the_same_files_out() -> None:
    ignored = [(ROOT / name).read_text() for name in (".containerignore", ".dockerignore")]
    assert ignored[0] == ignored[1]
    image = read_containerfile()
    copied = {
        source
        for name, words in image.instructions
        if name == "COPY" and not words.startswith("--from")
        for source in words.split()[:-1]
    }
    let_in = {line[1:] for line in ignored[0].splitlines() if line.startswith("!")}
    assert let_in == copied | {"requirements.txt"}
