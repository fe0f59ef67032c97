"""What holds for all tests: a slow or busy machine fails none."""

from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
