import asyncio
import random
from typing import Any

import pytest

from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.llm.faults import ServerFault, WireFault
from aide.llm.health import RunHealth
from aide.llm.retry import with_retries


class Bench:
    """A clock that only sleeping moves."""

    def __init__(self, patience: float = 300.0) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.health = RunHealth(lambda: self.now, patience=patience)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def run(self, *outcomes: Exception | str, forever: Exception | None = None, beside: bool = False) -> str:
        """One call that meets these outcomes in turn; `beside`: other calls are answered meanwhile."""
        left = list(outcomes)

        async def attempt() -> str:
            if beside:
                self.health.succeeded()
            outcome = left.pop(0) if left else forever
            if isinstance(outcome, CallError):
                self.health.failed(outcome)
            if isinstance(outcome, Exception):
                raise outcome
            self.health.succeeded()
            return str(outcome)

        return asyncio.run(with_retries(attempt, health=self.health, rng=random.Random(1), sleep=self.sleep))


def failure(kind: Any, wait: float | None = None, *, at_once: bool = False) -> CallError:
    return CallError(f"a {kind} fault", kind=kind, retry_after=wait, at_once=at_once, hint="look")


def fault(status: int, mark: str) -> ServerFault:
    return ServerFault(WireFault(status, "boom", mark=mark))


def test_what_works_at_once_is_not_waited_for() -> None:
    bench = Bench()
    assert bench.run("yes") == "yes"
    assert bench.slept == []


def test_waits_grow_with_jitter() -> None:
    bench = Bench()
    assert bench.run(*[failure("overload") for _ in range(5)], "yes") == "yes"
    for slept, most in zip(bench.slept, (0.5, 1, 2, 4, 8), strict=True):
        assert most / 2 <= slept <= most
    assert len({slept / most for slept, most in zip(bench.slept, (0.5, 1, 2, 4, 8), strict=True)}) > 1


def test_a_wait_the_server_names_is_kept_to() -> None:
    bench = Bench()
    assert bench.run(failure("rate", 40.0), "yes") == "yes"
    assert 40.0 <= bench.slept[0] <= 41.0


def test_a_wait_beyond_patience_stops_the_run() -> None:
    with pytest.raises(EndpointUnusable, match="asks to wait 3600 s"):
        Bench().run(failure("rate", 3600.0))


def test_the_first_repeat_may_be_immediate() -> None:
    bench = Bench()
    bench.run(failure("connection", at_once=True), failure("connection", at_once=True), "yes")
    assert bench.slept[0] == 0.0
    assert bench.slept[1] > 0


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("connection", 10.0), ("server", 10.0), ("overload", 300.0), ("rate", 300.0), ("timeout", 300.0)],
)
def test_before_the_first_answer_an_absent_server_is_given_ten_seconds(kind: str, seconds: float) -> None:
    bench = Bench()
    with pytest.raises(EndpointUnusable) as caught:
        bench.run(forever=failure(kind))
    assert bench.now == pytest.approx(seconds)
    assert caught.value.hint == "look"


def test_after_an_answer_patience_counts_from_the_first_failure_since() -> None:
    bench = Bench(patience=60.0)
    bench.run("yes")
    bench.now += 1000.0
    with pytest.raises(EndpointUnusable):
        bench.run(forever=failure("connection"))
    assert bench.now == pytest.approx(1060.0)


def test_the_same_fault_twice_is_permanent_while_others_are_answered() -> None:
    bench = Bench()
    with pytest.raises(NodeError) as caught:
        bench.run(fault(500, "a"), fault(500, "a"), "never asked", beside=True)
    assert (caught.value.reason, caught.value.failed) == ("server_fault", True)
    assert len(bench.slept) == 1


def test_the_same_fault_twice_heals_where_everybody_has_it() -> None:
    bench = Bench()
    bench.run("yes")
    bench.health.troubled = 5
    assert bench.run(fault(500, "a"), fault(500, "a"), "yes") == "yes"


def test_different_faults_and_gateways_are_never_permanent() -> None:
    assert Bench().run(fault(500, "a"), fault(500, "b"), "yes", beside=True) == "yes"
    assert Bench().run(fault(502, "a"), fault(502, "a"), "yes", beside=True) == "yes"


def test_a_call_gives_up_where_only_it_fails() -> None:
    bench = Bench()
    with pytest.raises(NodeError) as caught:
        bench.run(forever=failure("connection"), beside=True)
    assert (caught.value.reason, caught.value.failed) == ("gave_up", True)
    assert len(bench.slept) == 5


@pytest.mark.parametrize("error", [NodeError("filtered", "no"), EndpointUnusable("bad key")])
def test_other_scopes_pass_through(error: AideError) -> None:
    bench = Bench()
    with pytest.raises(type(error)):
        bench.run(error)
    assert bench.slept == []
    with pytest.raises(type(error)):
        bench.run(failure("server"), error)
    with pytest.raises(EndpointUnusable):
        bench.run(failure("rate", 3600.0))
    assert bench.health.troubled == 0
