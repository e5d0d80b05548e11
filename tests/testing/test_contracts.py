"""The contract suites, over everything that is registered: a new entry is tested by being registered."""

import pytest

from embodied.gymnasium_ids import TASKS
from embodied.tasks import find_task, registry, task_names
from embodied.testing import check_body, check_task
from morphologies import body_names, find_body


@pytest.mark.parametrize("name", body_names())
@pytest.mark.parametrize("root", ["free", "planar", "fixed"])
def test_every_body_keeps_its_contract(name, root):
    check_body(find_body(name, root=root))


@pytest.mark.parametrize("name", task_names())
def test_every_task_keeps_its_contract(name):
    check_task(lambda: find_task(name))


def test_gymnasium_knows_every_task_of_this_package():
    ours = {name for name, make in registry._registered.items() if make.__module__.startswith("embodied.tasks.")}
    assert set(TASKS) == ours
