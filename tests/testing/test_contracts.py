"""The contract suites, over everything that is registered: a new entry is tested by being registered."""

import os
import subprocess
import sys

import pytest

from embodied.tasks import find_task, task_names
from embodied.tasks.registry import OWN
from embodied.testing import check_body, check_endurance, check_task
from morphologies import body_names, find_body

OTHERS = ("ant", "hound")
"""Bodies that every task is tried with besides its own."""
PLAYED = [(name, body) for name in task_names() for body in dict.fromkeys((find_task(name).default_body, *OTHERS))]
DRAW = """
import sys, traceback
from embodied.graphics import NoGraphics
from embodied.tasks import find_task
from embodied.testing import check_picture
for name in sys.argv[1:]:
    try:
        check_picture(lambda: find_task(name))
    except NoGraphics as error:
        sys.exit(f"no graphics: {error}")
    except AssertionError as error:
        print(f"{name}: {error}")
"""


@pytest.mark.parametrize("name", body_names())
@pytest.mark.parametrize("root", ["free", "planar", "fixed"])
def test_every_body_keeps_its_contract(name, root):
    check_body(find_body(name, root=root))


@pytest.mark.parametrize(("name", "body"), PLAYED)
def test_every_task_keeps_its_contract(name, body):
    check_task(lambda: find_task(name), body)


@pytest.mark.parametrize(("name", "body"), PLAYED)
def test_every_task_endures_two_thousand_steps_of_any_actions(name, body):
    check_endurance(lambda: find_task(name), body)


def test_every_task_can_be_seen():
    # In a process of its own: drawing has to be chosen before MuJoCo is imported.
    environment = {**os.environ, "MUJOCO_GL": "egl"}
    done = subprocess.run([sys.executable, "-c", DRAW, *OWN], capture_output=True, text=True, env=environment)
    if "no graphics" in done.stderr or "libEGL" in done.stderr or "eglQueryString" in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
