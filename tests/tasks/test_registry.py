"""This package's own tasks: every name gives the task of that name, with a body that exists."""

import subprocess
import sys

import pytest

from embodied.gymnasium_ids import TASKS
from embodied.tasks import find_task, task_names
from embodied.tasks.registry import OWN
from morphologies import find_body


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_name_gives_the_task_of_that_name_with_a_body_that_exists(name):
    task = find_task(name)
    assert task.name == name
    assert find_body(task.default_body).spawn_height > 0
    assert find_task(name) is not task


def test_every_task_has_its_name_and_its_gymnasium_id():
    assert set(OWN) <= set(task_names())
    assert set(OWN) == set(TASKS)


def test_nothing_of_a_task_is_imported_before_one_is_made():
    code = (
        "import sys, embodied.tasks; "
        "print([m for m in sys.modules if m.startswith('embodied.tasks.') and m.split('.')[2] not in "
        "('task', 'registry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
