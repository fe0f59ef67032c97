"""What holds for all tests: a slow or busy machine fails none."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CRASH = Path(__file__).with_name("crash")

# The processes that tests start would each compile all of the code anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", patient)
settings.register_profile("thorough", patient, max_examples=2000)
settings.load_profile("any machine")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that stands in `tests/crash` is marked so: a new file there cannot forget it and slow `make test` down."""
    for item in items:
        if CRASH in item.path.parents:
            item.add_marker("crash")
