"""The demo: recorded runs that come with aide, unpacked as run folders and played back without an endpoint.

What is played back are the outcomes and calls of the journal. Nothing is asked anew and no prompt is rendered, so that
a recording stands however prompts and call keys change.
"""

from aide.demo.recording import Recording, open_demo, read_recordings
from aide.demo.replay import Replay, read_replay
from aide.demo.story import Growth, Mending, read_growth

__all__ = [
    "Growth",
    "Mending",
    "Recording",
    "Replay",
    "open_demo",
    "read_growth",
    "read_recordings",
    "read_replay",
]
