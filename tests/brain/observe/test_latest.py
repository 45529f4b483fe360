"""The latest values while many ask for them."""

import sys
import threading

import numpy as np

from citybrain.brain.observe import Latest
from tests.brain.observe.conftest import World


def test_nothing_is_lost_while_readers_make_room(world: World) -> None:
    one, switch = np.array([1], np.int32), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(8):
            latest = Latest(world.registry, world.series, world.clock)
            reader = threading.Thread(target=lambda known=latest: [known.times(np.array([1024 * 2**k])) for k in range(1, 12)])
            reader.start()
            fed = 0
            while reader.is_alive():
                fed += 1
                latest.feed(one, np.array([fed]), np.array([1.0]), world.clock.city(), "test")
                assert latest.times(one).tolist() == [fed]
            reader.join()
            assert latest.times(one).tolist() == [fed]
    finally:
        sys.setswitchinterval(switch)
