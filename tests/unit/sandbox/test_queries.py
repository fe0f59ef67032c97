"""Queries in the sandbox: rows that tell right ones from wrong ones, and no way out."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aide.errors import InputError
from aide.journal import Journal
from aide.run.test_results import JournaledTestRunner
from aide.sandbox.isolation import Sandbox, SandboxLimits, SandboxResult

SHOP = """CREATE TABLE customer (
  id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), town TEXT, since DATE
) ENGINE=InnoDB;
CREATE TABLE purchase (customer_id INT, price DECIMAL(8, 2), state ENUM('open', 'paid'));"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        sandbox = Sandbox.find(limits=SandboxLimits(seconds=1, wall=30, megabytes=256))
    except InputError:
        pytest.skip("no isolation works here")
    yield sandbox
    sandbox.close()


def run(sandbox: Sandbox, query: str, *words: str, schema: str = SHOP) -> SandboxResult:
    return asyncio.run(sandbox.query(schema, words, query))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            "SELECT name FROM customer WHERE town = 'Lyon'",
            "SELECT c.name FROM customer AS c WHERE c.town LIKE 'lyon'",
            True,
        ),
        ("SELECT name FROM customer WHERE town = 'Lyon'", "SELECT name FROM customer WHERE town = 'Nice'", False),
        ("SELECT COUNT(*) FROM purchase WHERE price > 30", "SELECT COUNT(*) FROM purchase WHERE price >= 30", False),
        ("SELECT AVG(price) FROM purchase", "SELECT SUM(price) * 1.0 / COUNT(price) FROM purchase", True),
        (
            "SELECT name FROM customer JOIN purchase ON id = customer_id",
            "SELECT name FROM customer, purchase WHERE customer.id = purchase.customer_id ORDER BY name",
            True,
        ),
        (
            "SELECT name FROM customer JOIN purchase ON id = customer_id",
            "SELECT name FROM customer LEFT JOIN purchase ON id = customer_id",
            False,
        ),
        ("DELETE FROM purchase WHERE price < 30", "DELETE FROM purchase WHERE NOT price >= 30", True),
        ("DELETE FROM purchase WHERE price < 30", "DELETE FROM purchase WHERE price <= 30", False),
    ],
)  # fmt: skip
def test_rows_tell_what_means_the_same(sandbox: Sandbox, one: str, other: str, same: bool) -> None:
    results = [run(sandbox, query, "Lyon", "Nice", "30") for query in (one, other)]
    assert all(each.passed for each in results), results
    assert (results[0].value == results[1].value) is same


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("SELECT nme FROM customer", "no such column: nme"),
        ("SELEKT name FROM customer", "syntax error"),
        ("SELECT name FROM customer; SELECT 1", "one statement"),
        ("ATTACH DATABASE '/box/x' AS x", "not authorized"),
        ("SELECT load_extension('/usr/lib/x.so')", "not authorized"),
        ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c", "stopped"),
        ("SELECT '\ud800'", ""),
    ],
)
def test_a_query_that_breaks_off_or_breaks_out_has_not_passed(
    sandbox: Sandbox, query: str, problem: str
) -> None:
    ran = run(sandbox, query)
    assert not ran.passed
    assert not ran.unfit
    assert problem in ran.problem


@pytest.mark.parametrize("schema", ["customer(id, name)", "CREATE TABLE t (a GEOMETRY(", "", "SELECT 1"])
def test_a_schema_that_makes_no_tables_is_no_fault_of_the_query(sandbox: Sandbox, schema: str) -> None:
    assert run(sandbox, "SELECT 1", schema=schema).unfit


def test_rows_of_the_schema_itself_are_kept_and_the_same_every_time(sandbox: Sandbox) -> None:
    filled = f"{SHOP} INSERT INTO customer (name) VALUES ('Zoe Quist');"
    query = "SELECT COUNT(*) FROM customer WHERE name = 'Zoe Quist'"
    assert run(sandbox, query, schema=filled).value != run(sandbox, query).value
    assert run(sandbox, "SELECT * FROM purchase").value == run(sandbox, "SELECT * FROM purchase").value


def test_what_came_of_a_query_is_remembered(sandbox: Sandbox, tmp_path: Path) -> None:
    async def twice() -> list[SandboxResult]:
        journal = Journal.open(tmp_path / "journal.sqlite", pace=0.0)
        first = await JournaledTestRunner(journal, sandbox).query(SHOP, ["30"], "SELECT price FROM purchase")
        closed = Sandbox(sandbox.name)
        closed.close()
        again = await JournaledTestRunner(journal, closed).query(SHOP, ["30"], "SELECT price FROM purchase")
        journal.close()
        return [first, again]

    first, again = asyncio.run(twice())
    assert first == again
    assert first.passed
