"""Two PostMasters on a Galera cluster of which nodes are killed, then looks whether anything broke.

    python -m tests.resilience.galera --writes 5000

starts three nodes and two servers, each on a node of its own, and clients that send
each request to one of the two, as through a balancer. While they write, nodes are killed
and come back. At the end every node must hold the same rows, and these must be what the
history and the clients say.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.galera import Cluster, Node
from tests.resilience.judgement import Judgement, judge
from tests.resilience.kill import DATABASE, prepare
from tests.resilience.server import Server
from tests.resilience.writers import (
    Attempt,
    Ledger,
    Outcome,
    Writer,
    set_to_work,
    stop_writers,
)

CLIENTS = 6
SECONDS_TO_GET_ON = 300


@dataclass
class Servers:
    """The two servers, by their addresses, as the balancer knows them."""

    urls: list[str]
    # Whose node is away: what they answer is no surprise.
    in_trouble: set[str] = field(default_factory=set)
    acknowledged: dict[str, int] = field(default_factory=dict)
    excused: list[int] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    slowest: float = 0.0  # seconds from a request to its answer, of servers not in trouble


class BalancedWriter(Writer):
    """A client each of whose requests goes to any of the servers."""

    servers: Servers

    def send(self, attempt: Attempt, method: str, path: str, body: Any = None) -> Attempt:
        """Ask one of the servers for one change."""
        url = self.random.choice(self.servers.urls)
        self.url = f"{url}/api/v1"
        was_in_trouble = url in self.servers.in_trouble
        begun = time.monotonic()
        super().send(attempt, method, path, body)
        with self.ledger.changed:
            self._note(url, attempt, time.monotonic() - begun, was_in_trouble=was_in_trouble)
            self.ledger.changed.notify_all()
        return attempt

    def _note(self, url: str, attempt: Attempt, seconds: float, *, was_in_trouble: bool) -> None:
        servers = self.servers
        is_excused = was_in_trouble or url in servers.in_trouble
        if not is_excused:
            servers.slowest = max(servers.slowest, seconds)
        if attempt.outcome is Outcome.ACKNOWLEDGED:
            servers.acknowledged[url] = servers.acknowledged.get(url, 0) + 1
        elif attempt.outcome is Outcome.UNKNOWN and is_excused:
            servers.excused.append(attempt.status)
        elif attempt.outcome is Outcome.UNKNOWN:
            servers.surprises.append(f"{attempt.status} for {attempt}")


@dataclass
class Summary:
    """What was done and what came of it."""

    seed: int
    ledger: Ledger
    servers: Servers
    judgement: Judgement = field(default_factory=Judgement)
    conflicts: int = 0  # lost certifications, and transactions that gave way to another node's
    events: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> list[str]:
        ledger, judgement, servers = self.ledger, self.judgement, self.servers
        return [
            f"seed {self.seed}: {self.seconds:.0f} s",
            *self.events,
            f"{len(ledger.attempts)} changes asked for: {ledger.acknowledged} acknowledged "
            f"({' + '.join(str(count) for count in servers.acknowledged.values())}), "
            f"{ledger.count(Outcome.REFUSED)} refused {self.refusals}, "
            f"{ledger.count(Outcome.UNKNOWN)} unknown",
            f"of the unknown ones (passwords apart): {judgement.unknown_done} wholly done, "
            f"{judgement.unknown_not_done} wholly not",
            f"{judgement.entries} entries of the history replayed to {judgement.rows} rows",
            f"{self.conflicts} conflicts between nodes; the slowest answer took "
            f"{servers.slowest:.1f} s",
            f"{len(servers.excused)} answers of a server without its node: "
            f"{sorted(set(servers.excused))}",
            f"{len(servers.surprises)} answers 5xx or none of a server that had its node",
            *servers.surprises[:20],
            f"{len(self.differences)} differences between the nodes",
            *self.differences[:20],
            f"{len(judgement.faults)} faults",
            *judgement.faults[:20],
        ]

    @property
    def refusals(self) -> dict[int, int]:
        """How often each status of a refusal came; most are for what another client deleted."""
        refused = [a.status for a in self.ledger.attempts if a.outcome is Outcome.REFUSED]
        return dict(Counter(refused))

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, halved, or answered with an error that need not be."""
        return not (self.judgement.faults or self.servers.surprises or self.differences)


class Run:
    """The cluster, the servers and the clients at work."""

    def __init__(self, cluster: Cluster, summary: Summary) -> None:
        self.nodes = cluster.nodes
        self.cluster = cluster
        self.summary = summary
        self.ledger = summary.ledger
        self.servers = summary.servers
        self.urls = summary.servers.urls
        self.began = time.monotonic()

    def say(self, what: str) -> None:
        at = time.monotonic() - self.began
        self.summary.events.append(f"{at:6.1f} s, {self.ledger.acknowledged} acknowledged: {what}")

    def write(self, share: int) -> None:
        """Go on until so many more changes are acknowledged."""
        wanted = self.ledger.acknowledged + share
        self.wait_for(lambda: self.ledger.acknowledged >= wanted)

    def write_by(self, url: str, share: int) -> None:
        """The same for changes that one of the servers acknowledges."""
        wanted = self.servers.acknowledged.get(url, 0) + share
        self.wait_for(lambda: self.servers.acknowledged.get(url, 0) >= wanted)

    def wait_for(self, holds: Callable[[], bool]) -> None:
        self.ledger.wait_for(holds, SECONDS_TO_GET_ON)

    def count_conflicts(self, *nodes: Node) -> None:
        """Add what these nodes have counted since they started."""
        for node in nodes:
            for name in ("local_cert_failures", "local_bf_aborts"):
                self.summary.conflicts += int(node.status(name))

    @contextmanager
    def trouble_for(self, url: str, share: int) -> Iterator[None]:
        """While this goes on, a server may fail; afterwards it writes like before."""
        with self.ledger.changed:
            self.servers.in_trouble.add(url)
        yield
        self.cluster.wait_until_all_are_members()
        with self.ledger.changed:
            self.servers.in_trouble.discard(url)
        self.write_by(url, share)


Round = Callable[[Run, int], None]


def a_node_of_nobody(run: Run, share: int) -> None:
    """Kill the third node while both servers write; it comes back while they go on."""
    node = run.nodes[2]
    run.write(share)
    node.kill()
    run.say("node 3 is killed")
    run.write(share)
    node.come_back()
    run.say(f"node 3 is back by {how_it_came_back(node)}")
    run.write(share)


def the_node_of_a_server(run: Run, share: int) -> None:
    """Kill the second server's node; it comes back with what it had."""
    kill_the_second(run, share, Node.come_back)


def the_disk_of_a_server(run: Run, share: int) -> None:
    """Kill the second server's node, and come back without anything.

    What it gets is from the node that no server uses: a donor's own clients have to wait.
    """
    kill_the_second(run, share, lambda node: node.come_back_empty(run.nodes[2]))


def kill_the_second(run: Run, share: int, come_back: Callable[[Node], None]) -> None:
    """The first server goes on meanwhile, and the second once its node is back."""
    node = run.nodes[1]
    run.write(share)
    run.count_conflicts(node)
    with run.trouble_for(run.urls[1], share):
        node.kill()
        run.say("node 2 is killed, which the second server uses")
        run.write_by(run.urls[0], share)
        come_back(node)
        run.say(f"node 2 is back by {how_it_came_back(node)}")


def the_network(run: Run, share: int) -> None:
    """Cut the second server's node off from the others; it runs on, and takes no part."""
    node = run.nodes[1]
    run.write(share)
    with run.trouble_for(run.urls[1], share):
        node.set_option("gmcast.isolate=1")
        run.say("node 2 is cut off from the others")
        run.write_by(run.urls[0], share)
        node.set_option("gmcast.isolate=0")
        node.wait_until_synced()
        run.say("node 2 has the others again")


# What is lost, one after the other.
EVERYTHING: tuple[Round, ...] = (
    a_node_of_nobody,
    the_node_of_a_server,
    the_network,
    the_disk_of_a_server,
)


def how_it_came_back(node: Node) -> str:
    """By what it missed, or by all the rows, as its own log says."""
    return "SST" if node.was_sent_everything() else "IST"


def uri_of(node: Node, uri: str) -> str:
    """The same database by another node."""
    address, _, name = uri.rpartition("/")
    return f"{address.rpartition(':')[0]}:{node.port}/{name}"


def differences(nodes: list[Node], database: str) -> list[str]:
    """The tables in which the nodes do not hold the same rows."""
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    tables = {name for node in nodes for (name,) in node.rows(database, query)}
    found = []
    for table in sorted(tables):
        rows = [set(node.rows(database, f"SELECT * FROM {table}")) for node in nodes]
        for number, others in enumerate(rows[1:], 2):
            odd = rows[0] ^ others
            if odd:
                found.append(f"{table} of node {number}: {len(odd)} rows, as {next(iter(odd))}")
    return found


@contextmanager
def two_servers(cluster: Cluster, folder: Path, workers: int = 2) -> Iterator[list[Server]]:
    """A server on the first node and one on the second, on a new database at head."""
    uri = cluster.nodes[0].create_database(DATABASE)
    prepare(uri, folder)
    servers = []
    for number, node in enumerate(cluster.nodes[:2], 1):
        own = folder / f"server{number}"
        own.mkdir()
        servers.append(Server(uri_of(node, uri), own, workers=workers))
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        for _started in pool.map(stack.enter_context, servers):
            pass
        yield servers
        for server in servers:
            server.kill()  # quicker than to stop it, and nothing of it is kept


def run(
    cluster: Cluster,
    servers: list[Server],
    writes: int,
    seed: int,
    rounds: Sequence[Round],
    clients: int = CLIENTS,
) -> Summary:
    """Write so many changes at least while nodes are killed, then judge."""
    began = time.monotonic()
    nodes = cluster.nodes
    summary = Summary(seed, Ledger(), Servers([server.url for server in servers]))
    running = Run(cluster, summary)
    cookies = servers[0].sign_in()  # and the other server takes them, too
    writers = [
        BalancedWriter(number, "", cookies, summary.ledger, seed)
        for number in range(1, clients + 1)
    ]
    for writer in writers:
        writer.servers = summary.servers
    set_to_work(writers)
    for each in rounds:
        each(running, writes // (3 * len(rounds)))
    running.wait_for(lambda: summary.ledger.acknowledged >= writes)
    stop_writers(writers)
    running.say("all clients stop")
    cluster.wait_until_all_agree()
    running.count_conflicts(*nodes[:2])
    summary.differences += differences(nodes, DATABASE)
    summary.judgement = judge(nodes[0], DATABASE, summary.ledger)
    summary.seconds = time.monotonic() - began
    return summary


def main() -> int:
    """The exit status: 1 if anything broke."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--writes", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="postmaster-galera-"))
        cluster = stack.enter_context(Cluster())
        servers = stack.enter_context(two_servers(cluster, Path(folder)))
        summary = run(cluster, servers, options.writes, options.seed, EVERYTHING)
    sys.stdout.write("\n".join(summary.lines()) + "\n")
    return 0 if summary.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
