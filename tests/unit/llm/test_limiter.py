"""The limiter in virtual time, against servers of the kinds there are."""

import random
from math import inf

import pytest

from aide.llm.growth import LoadTracker
from aide.llm.limiter import START, Limiter, Permit
from benchmarks.limiter import Fixed, Serve, World, at_once, by_chance, counts, queues, window


def steady(seconds: float = 1.0) -> Serve:
    return lambda world, permit: world.after(seconds, lambda: world.end(permit, "ok"))


@pytest.mark.parametrize("count", [8, 64])
def test_a_server_that_queues_gets_what_it_can_use(count: int) -> None:
    best = World(queues(count), Fixed, ceiling=count).run(900)
    found = World(queues(count), ceiling=256).run(900)
    assert found.rate(60) >= 0.9 * best.rate(60)
    assert found.limiter.limit <= 2 * count, "a queue without end must not be filled"
    assert not found.turned


@pytest.mark.parametrize("tells", [True, False])
def test_a_server_that_counts_a_minute_is_used_up_and_rarely_refuses(tells: bool) -> None:
    found = World(counts(600, tells=tells)).run(600)
    assert found.rate(60) >= 9.0
    assert found.turned_away(60) < 0.02


@pytest.mark.parametrize("ceiling", [64, 256])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("tells", [True, False])
def test_a_server_that_counts_any_sixty_seconds_is_used_up_and_rarely_refuses(
    tells: bool, strict: bool, ceiling: int
) -> None:
    found = World(window(600, tells=tells, strict=strict), ceiling=ceiling).run(900)
    assert found.rate(60) >= 9.0
    assert found.turned_away(60) < 0.02


@pytest.mark.parametrize("most", [20, 40])
def test_a_server_that_counts_calls_at_once_is_met_from_below(most: int) -> None:
    best = World(at_once(most), Fixed, ceiling=most).run(600)
    found = World(at_once(most)).run(600)
    assert found.rate(60) >= 0.9 * best.rate(60)
    assert found.turned_away(60) < 0.02


def test_a_bound_of_calls_at_once_is_told_from_one_of_calls_a_minute() -> None:
    bound, minute = LoadTracker(), LoadTracker()
    for answered in range(5, 55, 5):
        bound.note(20 + answered % 2, answered)
        minute.note(60 - answered, answered)
    assert bound.bound in (20, 21)
    assert not bound.dwindled
    assert minute.bound == 0
    assert minute.dwindled


def test_refusals_at_one_moment_say_nothing_of_a_bound() -> None:
    company = LoadTracker()
    for _ in range(50):
        company.note(20, 7)
    assert company.bound == 0


def test_slow_start_doubles_up_to_the_ceiling() -> None:
    world = World(steady(), ceiling=50)
    assert world.limiter.limit == START
    seen = []
    for second in range(1, 12):
        world.run(second + 0.5)
        seen.append(world.limiter.limit)
    assert seen == sorted(seen)
    assert seen[-1] == 50
    assert World(steady(), ceiling=3).limiter.limit == 3


@pytest.mark.parametrize("most", [8, 20])
def test_a_number_that_was_named_too_high_is_found_out(most: int) -> None:
    best = World(at_once(most), Fixed, ceiling=most).run(600)
    found = World(at_once(most), start=64).run(600)
    assert found.limiter.limit <= most
    assert found.rate(60) >= 0.9 * best.rate(60)
    assert found.turned_away(60) < 0.02


def test_nothing_grows_while_nobody_waits() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0])
    for _ in range(200):
        permits = [limiter.start() for _ in range(START - 1)]
        now[0] += 1
        for permit in permits:
            limiter.finish(permit, "ok")
    assert limiter.limit == START


def test_one_cut_for_one_episode() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0])
    permits = [limiter.start() for _ in range(START)]
    now[0] = 1.0
    for permit in permits:
        limiter.finish(permit, "overload")
    assert limiter.cuts == 1
    assert limiter.limit == int(START * 0.7)


def test_a_latency_near_the_timeout_cuts() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0], patience=100.0)
    for limit, cuts in ((START, 0), (32, 1)):
        limiter._limit = float(limit)
        permit = limiter.start()
        now[0] += 60.0
        limiter.finish(permit, "ok")
        assert limiter.cuts == cuts


def test_after_many_failures_one_probe_goes_alone_and_pauses_double() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0])
    while limiter.compute_wait() == 0:
        limiter.finish(limiter.start(), "connection")
    pauses = []
    for _ in range(7):
        pauses.append(limiter.compute_wait())
        now[0] += pauses[-1]
        permit = limiter.start()
        assert limiter.compute_wait() == inf, "the probe goes alone"
        limiter.finish(permit, "connection")
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert limiter.holding
    now[0] += limiter.compute_wait()
    limiter.finish(limiter.start(), "ok")
    assert limiter.compute_wait() == 0
    assert not limiter.holding


def test_a_named_wait_holds_everybody_once_it_is_no_chance() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0])
    limiter.finish(limiter.start(), "rate", wait=30.0)
    assert limiter.compute_wait() == 0, "one refusal may be one caller's"
    limiter.finish(limiter.start(), "rate", wait=30.0)
    assert limiter.compute_wait() == 30.0


def test_random_faults_among_answers_stop_nobody() -> None:
    rng = random.Random(5)

    def serve(world: World, permit: Permit) -> None:
        if rng.random() < 0.15:
            world.after(0.02, lambda: world.end(permit, "server"))
        else:
            world.after(1.0, lambda: world.end(permit, "ok"))

    world = World(serve).run(60)
    assert world.limiter.cuts == 0
    assert world.rate(20) > 50


def test_refusals_by_chance_do_not_strangle_a_run() -> None:
    world = World(by_chance(0.1, spread=0)).run(600)
    assert world.rate(60) >= 0.7 * 64 / 2.0


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_refusals_by_chance_cost_no_more_than_themselves(share: float) -> None:
    best = World(by_chance(share), Fixed, ceiling=256).run(600)
    assert World(by_chance(share), ceiling=256).run(600).rate(60) >= 0.9 * best.rate(60)


@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_lone_refusals_among_answers_cut_nothing(seconds: float) -> None:
    world = World(by_chance(0.05, seconds, spread=0)).run(300)
    assert world.limiter.cuts == 0
    assert world.limiter.limit == 64
    assert world.rate(60) >= 0.9 * 64 / seconds


def test_cuts_that_helped_after_all_come_back() -> None:
    """Chance first, then a server that takes two at once."""
    chance, strict = by_chance(0.1, spread=0), at_once(2)
    world = World(lambda world, permit: (chance if world.now < 300 else strict)(world, permit)).run(300)
    assert world.limiter.limit > 20
    assert world.run(1200).limiter.limit <= 6


def test_requests_a_minute_are_kept_to() -> None:
    world = World(steady(0.1), rpm=120).run(120)
    for begin in range(60):
        assert sum(begin <= at < begin + 60 for at in world.starts) <= 122
    assert world.rate(60) > 1.9


def test_tokens_a_minute_are_kept_to_and_estimates_corrected() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0], tpm=6000)
    used = 0.0
    while now[0] < 120:
        wait = limiter.compute_wait()
        if wait:
            now[0] += wait
            continue
        permit = limiter.start(tokens=10.0)
        limiter.finish(permit, "ok", tokens=300.0)
        used += 300
    assert 11_000 <= used <= 13_500


def test_the_servers_own_figures_hold_starts() -> None:
    now = [0.0]
    limiter = Limiter(ceiling=64, clock=lambda: now[0])
    limiter.pause_starts(5.0)
    assert limiter.compute_wait() == 5.0
    now[0] = 5.0
    limiter.start()
    assert limiter.compute_wait() == 0, "no probe: nothing failed"
    limiter.pause_starts(100_000.0)
    assert limiter.compute_wait() == 60.0
