"""Contract suites: what every task, body, environment and prior promises, this package's own and others'.

They use plain asserts and need no test runner: call them from a test.
"""

from embodied.testing.body import check_body
from embodied.testing.device_task import check_device_task
from embodied.testing.endurance import check_endurance
from embodied.testing.picture import check_picture
from embodied.testing.prior import check_prior
from embodied.testing.task import check_task
from embodied.testing.vector_env import check_vector_env

__all__ = [
    "check_body",
    "check_device_task",
    "check_endurance",
    "check_picture",
    "check_prior",
    "check_task",
    "check_vector_env",
]
