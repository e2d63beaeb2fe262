"""A process that has imported all of PostMaster, and forks for each command that it is given.

Most of a short command's time is Python reading modules, the same ones each time. Here they are
read once. Each command is still a process of its own, with its own environment, folder, input
and output, and manage.py itself is what runs in it. Nothing of the tests is in it: this script
is started, not forked from them, and imports no module of theirs.

On the socket whose number is its argument: a message is one command, JSON with ``arguments``,
``environment`` and ``folder``, beside the descriptors of its input, output and errors. Answered
are the number of the process when it begins and its wait status when it has ended. This process
ends when the socket does.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LONGEST_MESSAGE = 1_000_000
# What the libraries import when they are first used.
LATER = ("alembic.command", "pymysql", "sqlalchemy.dialects.mysql.pymysql", "sqlite3")


def import_everything() -> None:
    """Import what a command would, and do no more: no application is made here."""
    package = importlib.import_module("postmaster")
    for found in pkgutil.walk_packages(package.__path__, "postmaster."):
        importlib.import_module(found.name)
    for name in LATER:
        importlib.import_module(name)
    gc.freeze()  # the modules' objects are not looked through, which would copy their memory


def next_command(control: socket.socket) -> dict[str, Any]:
    """Return, in a new process, with a command; stay here for as long as commands come."""
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, LONGEST_MESSAGE, 3)
        if not message:
            sys.exit()
        number = os.fork()
        if number == 0:
            for place, descriptor in enumerate(descriptors):
                os.dup2(descriptor, place)
                os.close(descriptor)
            control.close()
            command: dict[str, Any] = json.loads(message)
            return command
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(number).encode())
        _number, status = os.waitpid(number, 0)
        control.send(str(status).encode())


def become(command: dict[str, Any]) -> None:
    """Make this process what it would be, had it been started as this command."""
    os.environ.clear()
    os.environ.update(command["environment"])
    time.tzset()
    os.chdir(command["folder"])
    sys.argv = [str(ROOT / "manage.py"), *command["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the tests end this process
    sys.path[0] = str(ROOT)
    import_everything()
    become(next_command(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_path(sys.argv[0], run_name="__main__")
