"""The durable record of every answered call, decision and outcome of a run: one SQLite file."""

from aide.journal.pending import PendingCall, Wave
from aide.journal.rows import AnsweredCall, Kind, Outcome, SpentAtHop
from aide.journal.store import Journal

__all__ = ["AnsweredCall", "Journal", "Kind", "Outcome", "PendingCall", "SpentAtHop", "Wave"]
