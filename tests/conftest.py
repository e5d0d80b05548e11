"""One torch thread, as everywhere in this project: a second one fights MuJoCo's own and the tests beside this one."""

import torch

torch.set_num_threads(1)
