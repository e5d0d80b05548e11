"""A Progress that shows nothing."""

from embodied.runs.progress import Progress


class Silent(Progress):
    def __init__(self):
        super().__init__("")

    def say(self, line):
        pass
