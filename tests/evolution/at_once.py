"""Workers without processes: a lifetime is lived when somebody waits for it, one at a time."""

from embodied.evolution.workers import Began, Failed, Finished


class AtOnce:
    """Stands where `Workers` stands; kills and hangs are the real ones' business."""

    def __init__(self, count, patience=300.0, memory=None, lives=None, device_lives=None):
        self._count, self._lives, self._device_lives = count, lives, device_lives
        self._orders, self._on_device = [], None

    @property
    def free(self):
        return self._count - len(self._orders)

    @property
    def device_free(self):
        return self._on_device is None

    @property
    def busy(self):
        return bool(self._orders) or self._on_device is not None

    def submit(self, order):
        self._orders.append(order)

    def submit_to_device(self, order):
        assert self._on_device is None
        self._on_device = order

    def events(self):
        if self._on_device is not None:
            order, self._on_device, lives = self._on_device, None, self._device_lives
        else:
            order, lives = self._orders.pop(0), self._lives
        yield Began(order.id, 0)
        try:
            found = lives(order, _Silence())
        except Exception as error:
            yield Failed(order.id, "error", str(error), 0)
        else:
            yield Finished(order.id, found)

    def close(self):
        pass


class _Silence:
    def began(self, steps):
        pass
