"""A clean tree to install into: an overlay of this machine, with its own network and processes.

What is written in the tree is kept in memory and is gone with it; this machine's files stay as
they are. In the tree 127.0.0.1 is the tree's own, so that port 8082 is free there whatever runs
outside. Tests get it by ``Tree``::

    with Tree(folder) as tree:
        tree.run("apt-get install -y apache2", online=True)   # by the machine's network
        tree.run("service apache2 start")                     # in the tree's own
        with tree.network():                                  # what this thread connects to
            requests.get("http://127.0.0.1:8082/login")

The variable POSTMASTER_TEST_SYSTEM names a folder with another system in place of this machine's.
Linux gives all that with unshare(1), nsenter(1) and overlayfs, to root.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SECONDS = 600  # for one command, such as apt-get's
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
OWN_NETWORK = Path("/proc/thread-self/ns/net")
MEMORY = "4g"  # the most that may be written in the tree
# Only what the distribution installs: no other Python or tool of this machine.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Another system's files to install into, such as debootstrap makes them.
OTHER_SYSTEM = "POSTMASTER_TEST_SYSTEM"
# How this machine reaches the world, which no guide can know.
PASSED_ON = ("PIP_CERT", "PIP_INDEX_URL", "http_proxy", "https_proxy", "no_proxy")

MOUNT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=$2 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$3,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cp --dereference /etc/resolv.conf "$1/resolv.conf"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
# A clone below /tmp, with its environment, is to be seen all the same.
case "$4" in
  /tmp/*) mkdir -p "$1/root$4"; mount --bind -o ro "$4" "$1/root$4" ;;
esac
mount -t tmpfs -o mode=755 tmpfs "$1/root/run"
mkdir -m 1777 "$1/root/run/lock"
rm -f "$1/root/etc/resolv.conf"
mv "$1/resolv.conf" "$1/root/etc/resolv.conf"
cd "$1/root"
# A shell, as the first process has to take leave of those that others left behind.
exec chroot . bash -c 'echo ready; sleep infinity & wait'
"""


class CommandFailed(Exception):
    """A command in the tree ended with another status than 0; the text has its output."""


class Tree:
    """The tree, from its mounts to the end of every process in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.holder: subprocess.Popen[str] | None = None
        self.outside = OWN_NETWORK.open("rb")

    def __enter__(self) -> Self:
        self.holder = subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"),
                *("bash", "-c", MOUNT, "bash", str(self.folder), MEMORY),
                *(os.environ.get(OTHER_SYSTEM, "/"), str(CHECKOUT)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.holder.stdout is not None
        said = self.holder.stdout.readline()
        if said != "ready\n":
            said += self.holder.communicate()[0]
            raise RuntimeError(f"No tree can be mounted (root, and overlayfs?): {said}")
        with self.network():
            _bring_loopback_up()
        self.policy("exit 101")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.holder is not None:
            # The first process of the tree: with it all others end, and the mounts with them.
            os.kill(self.pid, signal.SIGKILL)
            self.holder.communicate()
        self.outside.close()

    @property
    def pid(self) -> int:
        """The tree's first process, as this machine counts it."""
        assert self.holder is not None
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        return int(children.read_text().split()[0])

    @property
    def root(self) -> Path:
        """The tree's files, for this machine to read and write."""
        return Path(f"/proc/{self.pid}/root")

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Put a file into the tree."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)

    def policy(self, line: str) -> None:
        """Whether packages may start services (Debian's policy-rc.d); at first they may not."""
        self.write("/usr/sbin/policy-rc.d", f"#!/bin/sh\n{line}\n", 0o755)

    def run(self, script: str, *, online: bool = False, user: str = "root", text: str = "") -> str:
        """What a shell in the tree prints. Raises CommandFailed.

        ``online``: by the machine's network, in which no server of the tree may be started.
        """
        done = self.attempt(script, online=online, user=user, text=text)
        if done.returncode != 0:
            raise CommandFailed(f"{script}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def attempt(
        self, script: str, *, online: bool = False, user: str = "root", text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """The same for a command that may fail: status and output."""
        command = ["bash", "-euc", script]
        if user != "root":
            command = ["runuser", "--user", user, "--", *command]
        return subprocess.run(
            self.entered(command, online=online),
            check=False,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )

    def entered(self, command: list[str], *, online: bool = False) -> list[str]:
        """A command of this machine that runs one in the tree."""
        outside = f"--net=/proc/{os.getpid()}/fd/{self.outside.fileno()}"
        spaces = ["--mount", "--pid", "--root", "--wdns=/", outside if online else "--net"]
        environment = [
            f"PATH={PATH}",
            "HOME=/root",
            "LANG=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive",
            *(f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ),
        ]
        return ["nsenter", f"--target={self.pid}", *spaces, "env", "-i", *environment, *command]

    @contextmanager
    def network(self) -> Iterator[None]:
        """This thread, and the threads and processes that it starts, in the tree's network."""
        with OWN_NETWORK.open("rb") as own:
            with Path(f"/proc/{self.pid}/ns/net").open("rb") as of_tree:
                _enter(of_tree.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _bring_loopback_up() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
