"""Contract suites: what every task, body and prior promises, for this package's own and for those that others write.

They use plain asserts and need no test runner: call them from a test.
"""

from embodied.testing.body import check_body
from embodied.testing.device_task import check_device_task
from embodied.testing.endurance import check_endurance
from embodied.testing.picture import check_picture
from embodied.testing.prior import check_prior
from embodied.testing.task import check_task

__all__ = ["check_body", "check_device_task", "check_endurance", "check_picture", "check_prior", "check_task"]
