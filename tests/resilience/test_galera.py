"""Two PostMasters on a real Galera cluster; the long form of the run is galera.py, by hand."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from postmaster import schema
from tests.conftest import GUIDE_SCHEMA, database_name, dispose, make_app
from tests.galera import Cluster, Node, wait_until
from tests.resilience import galera
from tests.resilience.kill import DATABASE
from tests.resilience.server import Server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(suspect=3) as running:
        yield running


@pytest.fixture(scope="module")
def servers(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """One on the first node and one on the second."""
    folder = tmp_path_factory.mktemp("servers")
    with galera.two_servers(cluster, folder, workers=1) as running:
        yield running


def test_a_node_killed_during_writes_loses_nothing_acknowledged(
    cluster: Cluster, servers: list[Server]
) -> None:
    # First, since the judge knows no changes but those of its own clients.
    summary = galera.run(
        cluster,
        servers,
        writes=120,
        seed=random.randrange(2**32),
        rounds=[galera.the_node_of_a_server],
        clients=3,
    )
    said = "\n".join(summary.lines())
    assert summary.is_clean, said
    assert summary.conflicts > 0, f"the servers did not write at once: {said}"
    assert summary.ledger.acknowledged >= 120
    assert min(summary.servers.acknowledged.values()) > 0


def test_existingdb_on_one_node_makes_the_tables_on_all(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one, other, _third = cluster.nodes
    uri = one.create_database("adopted")
    one.run(database_name(uri), GUIDE_SCHEMA)
    app = make_app(galera.uri_of(other, uri), tmp_path_factory.mktemp("adopted"))
    with app.app_context():
        schema.adopt(lambda _line: None)
    dispose(app)
    cluster.wait_until_all_agree()
    assert galera.differences(cluster.nodes, "adopted") == []
    unfit = one.rows(
        "adopted",
        "SELECT t.table_name, t.engine, k.constraint_type FROM information_schema.tables t"
        " LEFT JOIN information_schema.table_constraints k ON k.table_schema = t.table_schema"
        " AND k.table_name = t.table_name AND k.constraint_type = 'PRIMARY KEY'"
        " WHERE t.table_schema = DATABASE()"
        " AND (t.engine <> 'InnoDB' OR k.constraint_type IS NULL)",
    )
    assert unfit == [], "Galera replicates InnoDB only, and deletes by the primary key"


def test_who_signs_in_at_one_server_is_signed_in_at_the_other_at_once(
    cluster: Cluster, servers: list[Server]
) -> None:
    """Also while the other's node has not yet applied what the first has committed."""
    one, other = servers
    node = cluster.nodes[1]
    with node.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        cookies = one.sign_in()
        asked = pool.submit(other.ask, "GET", "/api/v1/domains", cookies=cookies)
        wait_until(lambda: asked.done() or waits(node), lambda: "Nobody asks the node")
        cursor.execute("UNLOCK TABLES")
        assert asked.result().status_code == 200


def waits(node: Node) -> bool:
    """Whether a server's question to this node has no answer yet."""
    return bool(
        node.rows(
            "information_schema",
            "SELECT 1 FROM processlist WHERE user = %s AND command = 'Query'",
            DATABASE,
        )
    )


def test_what_one_server_deleted_the_other_brings_back(
    cluster: Cluster, servers: list[Server]
) -> None:
    """With the hashes beside their users: the ids that nodes give out have gaps."""
    one, other = servers
    cookies = one.sign_in()
    domain = one.ask("POST", "/api/v1/domains", json={"name": "back.example"}, cookies=cookies)
    for number in range(6):
        user = {"email": f"u{number}@back.example", "password": f"password {number}"}
        server = servers[number % 2]
        assert server.ask("POST", "/api/v1/users", json=user, cookies=cookies).status_code == 201
    query = "SELECT id, email, password FROM virtual_users ORDER BY id"
    before = cluster.nodes[0].rows(DATABASE, query)
    assert other.ask("DELETE", f"/api/v1/domains/{domain.json()['id']}", cookies=cookies).ok
    newest = one.ask("GET", "/api/v1/history", cookies=cookies).json()["items"][0]
    assert one.ask("POST", f"/api/v1/history/{newest['id']}/undo", cookies=cookies).ok
    cluster.wait_until_all_agree()
    for node in cluster.nodes:
        assert node.rows(DATABASE, query) == before
    ids = [row[0] for row in before]
    assert ids != [*range(ids[0], ids[0] + len(ids))], "each node counts in steps of its own"
    assert other.ask("DELETE", f"/api/v1/domains/{domain.json()['id']}", cookies=cookies).ok


def test_a_node_that_left_the_cluster_is_a_refusal_in_words(
    cluster: Cluster, servers: list[Server]
) -> None:
    one, other = servers
    cookies = one.sign_in()
    assert other.ask("GET", "/api/v1/domains", cookies=cookies).status_code == 200
    cluster.nodes[1].leave()
    try:
        for path in ("/api/v1/domains", "/domains", "/healthz"):
            answer = other.ask("GET", path, cookies=cookies)
            assert (answer.status_code, "database" in answer.text) == (503, True), path
        new = {"name": "refused.example"}
        refused = other.ask("POST", "/api/v1/domains", json=new, cookies=cookies)
        assert refused.status_code == 503
        assert one.ask("GET", "/healthz").status_code == 200
        assert one.ask("POST", "/api/v1/domains", json=new, cookies=cookies).status_code == 201
    finally:
        cluster.nodes[1].enter_again()
    found = other.ask("GET", "/api/v1/domains?search=refused.example", cookies=cookies)
    assert [item["name"] for item in found.json()["items"]] == ["refused.example"]
    assert other.ask("GET", "/healthz").status_code == 200
