"""What holds for all tests: a slow or busy machine fails none."""

import os

from hypothesis import settings

# The processes that tests start would each compile all of the code anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
