"""Waves in the journal: all of a wave or nothing, until it has ended."""

import asyncio
from dataclasses import replace
from pathlib import Path

from aide.journal import Journal, PendingCall, Wave

WAVE = Wave("w", "http://x/v1", "m", 2, 100, 0.5, 10.0)


def pending(key: str, user: str = "u") -> PendingCall:
    return PendingCall(key, "node", "extract", 1, 2, "m", "http://x/v1", "s", user, {"batch": "w"})


def test_a_wave_and_its_calls_come_back_as_they_were_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    calls = [pending("k1", "Wie hoch ist die Zugspitze?" * 40), pending("k0")]
    with Journal.open(path) as journal:
        asyncio.run(journal.waves.put(WAVE, calls))
    with Journal.open(path) as journal:
        assert journal.waves.read() == [WAVE]
        assert list(journal.waves.read_calls("w")) == calls, "in the order in which they were submitted"
        assert journal.waves.read_keys("w") == ["k1", "k0"]
        submitted = replace(WAVE, state="submitted", batch="batch_1", submitted=11.0)
        asyncio.run(journal.waves.put(submitted))
        assert journal.waves.read() == [submitted]
        assert len(journal.waves.read_keys("w")) == 2


def test_of_a_wave_that_has_ended_the_calls_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    later = replace(WAVE, id="a", composed=20.0)
    with Journal.open(path) as journal:
        asyncio.run(journal.waves.put(later, [pending("k2")]))
        asyncio.run(journal.waves.put(WAVE, [pending("k1")]))
        ended = replace(WAVE, state="ended", ended=30.0, outcome="completed", answered=1)
        asyncio.run(journal.waves.end(ended))
        assert journal.waves.read() == [ended, later], "in the order in which they were composed"
        assert journal.waves.read_keys("w") == []
        assert journal.waves.read_keys("a") == ["k2"]
    with Journal.open(path, readonly=True) as journal:
        assert journal.waves.read() == [ended, later]
