"""One run: its folder, session, loop, plan, and the way back from a record to its seed."""
