"""A throw-away Galera cluster: three MariaDB servers that hold the same rows.

A node is a MariaDB of its own folder and its own ports. It can be killed, cut off from
the others, and come back, by what it missed (IST) or by all the rows (SST).
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pymysql

from tests.mariadb import MariaDB

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
# The programs by which a node gets all the rows, of Debian's package mariadb-server: that
# is unpacked and not installed, since it would start a server with the machine.
TRANSFER = Path(__file__).parent / ".galera" / "usr" / "bin"
USER = "nobody"
SECONDS_TO_AGREE = 60
# Below the ports that the kernel gives to outgoing connections: the ports of a node that is
# down are still free when it comes back.
PORTS = range(20000, 32000)
SECONDS_TO_SUSPECT = 5  # Galera's own
SYNCED = "Synced"


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, next to one another."""
    start = PORTS.start + os.getpid() * 97 % (len(PORTS) - 200)
    for first in range(start, PORTS.stop - count):
        with ExitStack() as probes:
            try:
                for port in range(first, first + count):
                    probe = probes.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return [*range(first, first + count)]
    raise RuntimeError("no ports are free")


class Node(MariaDB):
    """One server of a cluster."""

    def __init__(self, ports: Sequence[int], members: Sequence[int], suspect: int) -> None:
        """``members`` are the ports of all nodes' group, this one's among them.

        ``suspect``: seconds until a node that says nothing is held for dead.
        """
        port, self.group, incremental, transfer = ports
        super().__init__(port)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        for name in ("wsrep_sst_rsync", "wsrep_sst_common"):
            shutil.copy(TRANSFER / name, self.programs)
        if os.geteuid() == 0:
            # Not as root: rsync's service would give root up, and then could not write here.
            self.account = [f"--user={USER}"]
            for path in (self.folder, self.temporary):
                shutil.chown(path, USER)
        options = (
            "base_host=127.0.0.1",
            f"base_port={self.group}",
            f"gmcast.listen_addr=tcp://127.0.0.1:{self.group}",
            f"ist.recv_addr=127.0.0.1:{incremental}",
            "gcache.size=32M",
            f"evs.suspect_timeout=PT{suspect}S",
        )
        self.cluster = "gcomm://" + ",".join(f"127.0.0.1:{member}" for member in members)
        self.in_cluster = [
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON",
            f"--wsrep-provider={PROVIDER}",
            f"--wsrep-provider-options={';'.join(options)}",
            f"--wsrep-cluster-address={self.cluster}",
            f"--wsrep-node-address=127.0.0.1:{self.group}",
            f"--wsrep-node-name={self.group}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address=127.0.0.1:{transfer}",
        ]

    def _make(self) -> None:
        """Nothing yet: what a node starts with depends on the others."""

    def found(self) -> None:
        """Make the server's tables, and begin a cluster of this node alone."""
        self.install()
        self.launch("--wsrep-new-cluster")
        # Refused until the node is a cluster, and then asked again.
        wait_until(lambda: self.set_password() is None, self.log.read_text)
        self.wait_until_synced()

    def join(self, *options: str) -> None:
        """Become a member, and get all the rows of the others."""
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(data, USER)
        self.start(*options)

    def command(self) -> list[str]:
        """The server's program and its options as a member."""
        return [*super().command(), *self.in_cluster]

    def start(self, *options: str) -> None:
        """Start the server, and wait until it has what the others have."""
        self.launch(*options)
        self.wait_until_synced()

    def launch(self, *options: str) -> None:
        """Start the server, and wait until it answers."""
        self.process = subprocess.Popen(
            [*self.command(), *options],
            env=os.environ | {"PATH": f"{self.programs}:{os.environ['PATH']}:/usr/sbin"},
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that what a transfer started can be ended with it
        )
        self.wait_until_it_listens()

    def stop(self) -> None:
        """End the server as it is: what it holds is thrown away."""
        if self.process is not None:
            self.kill()

    def kill(self) -> None:
        """SIGKILL the server: nothing is finished, and the others hear nothing of it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        end_group(self.process.pid)
        self.process = None

    def come_back(self) -> None:
        """Start a node that was killed; it gets what it missed.

        Where its own log ended has to be found out first, as the package's service does.
        """
        before = self.log.stat().st_size
        recovery = [*self.command(), "--wsrep-recover"]
        subprocess.run(recovery, check=True, capture_output=True, timeout=SECONDS_TO_AGREE)
        said = self.log.read_bytes()[before:].decode(errors="replace")
        found = re.findall(r"Recovered position: (\S+)", said)
        if not found:
            raise RuntimeError(f"The position of a killed node is not found:\n{said}")
        self.start(f"--wsrep-start-position={found[-1]}")

    def come_back_empty(self, donor: "Node") -> None:
        """Start a node whose disk is lost; it gets all the rows from this other node.

        The donor takes no changes of its clients meanwhile: rsync copies its files.
        """
        shutil.rmtree(self.folder / "data")
        self.join(f"--wsrep-sst-donor={donor.group}")

    def was_sent_everything(self) -> bool:
        """Whether the node got all the rows when it started, and not only what it missed."""
        last_start = self.log.read_text(errors="replace").rpartition("Starting MariaDB")[2]
        return "Local state: 00000000-" in last_start

    def set_option(self, option: str) -> None:
        """Change one of Galera's options, such as ``gmcast.isolate=1``."""
        with self.cursor() as cursor:
            cursor.execute("SET GLOBAL wsrep_provider_options = %s", [option])

    def leave(self) -> None:
        """Take no part any more; the server runs on, and its clients keep their connections."""
        with self.cursor() as cursor:
            cursor.execute("SET GLOBAL wsrep_cluster_address = ''")

    def enter_again(self) -> None:
        """Take part again, with what was missed."""
        with self.cursor() as cursor:
            cursor.execute("SET GLOBAL wsrep_cluster_address = %s", [self.cluster])
        self.wait_until_synced()

    def status(self, name: str) -> str:
        """One of the server's ``wsrep_`` numbers and words."""
        with self.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE %s", [f"wsrep_{name}"])
            row = cursor.fetchone()
        return str(row[1]) if row else ""

    def wait_until_synced(self) -> None:
        """Wait until the node is a member that has everything."""
        wait_until(
            lambda: self.status("local_state_comment") == SYNCED,
            lambda: f"The node is not {SYNCED}:\n{self.log.read_text()}",
        )


def end_group(group: int) -> None:
    """End what is left of a process group, if anything is."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def wait_until(holds: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait until this holds; a server that does not answer yet is asked again."""
    deadline = time.monotonic() + SECONDS_TO_AGREE
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except pymysql.MySQLError:
            pass
        time.sleep(0.1)
    raise RuntimeError(otherwise())


class Cluster:
    """Three nodes, from start to stop."""

    def __init__(self, suspect: int = SECONDS_TO_SUSPECT) -> None:
        ports = free_ports(12)
        members = ports[0::4]
        self.nodes = [
            Node([port + 3, port, port + 1, port + 2], members, suspect) for port in members
        ]

    def __enter__(self) -> Self:
        self.stack = ExitStack()
        try:
            for node in self.nodes:
                self.stack.enter_context(node)
            first, *others = self.nodes
            first.found()
            for node in others:  # two at once would take longer to find one another
                node.join()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stack.close()

    def wait_until_all_are_members(self) -> None:
        """Until every node knows of all."""
        everybody = str(len(self.nodes))
        wait_until(
            lambda: all(
                (node.status("cluster_size"), node.status("local_state_comment"))
                == (everybody, SYNCED)
                for node in self.nodes
            ),
            lambda: "The nodes do not find one another",
        )

    def wait_until_all_agree(self) -> None:
        """Until every node has applied everything; nobody writes meanwhile."""
        self.wait_until_all_are_members()
        wait_until(
            lambda: len({node.status("last_committed") for node in self.nodes}) == 1,
            lambda: "The nodes do not come to the same state",
        )
