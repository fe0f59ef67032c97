"""Seeds of the sample files, prepared as for a run."""

from collections.abc import Callable
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.formats import TaskCard
from aide.run.inputs import PreparedInputs, count_inputs_card, read_inputs
from runs import SEEDS

Task = tuple[RunSpec, PreparedInputs, TaskCard]


@pytest.fixture
def prepare() -> Callable[..., Task]:
    """Spec, seeds and counted card of a sample file."""

    def prepare(name: str, **settings: Any) -> Task:
        spec = RunSpec(base_url=("sim:",), model="simulator", **settings)
        inputs = read_inputs(spec, (str(SEEDS / f"{name}.jsonl"),))
        return spec, inputs, count_inputs_card(spec, inputs)

    return prepare
