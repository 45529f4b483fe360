"""What the door refuses: what was written wrongly, what is not there, and what it does not hold yet, each with its reason."""

from citybrain.kernel.errors import BadInputError, NotFoundError, NotHeldError
from citybrain.kernel.text import Text


def wrong(zh: str, en: str, option: str) -> BadInputError:
    """An address or body that SensorThings does not allow; ``option`` names the part of it."""
    return BadInputError(Text(zh, en), parameter=option)


def missing(what: str) -> NotFoundError:
    """Nothing stands under an address, or not for this caller."""
    return NotFoundError(Text(f"没有“{what}”。", f"There is no '{what}'."), path=what)


def uncounted() -> NotFoundError:
    """``/$count`` at the end of a path, which OData has and SensorThings 1.1 has not: its usages of paths (clause 9.2) end with ``$ref``."""
    zh, en = "SensorThings 1.1 的路径没有 /$count；请用", "SensorThings 1.1 has no /$count in a path. Ask with"
    return NotFoundError(Text(f"{zh} ?$count=true&$top=0。", f"{en} ?$count=true&$top=0."), path="$count")


def not_held(zh: str, en: str) -> NotHeldError:
    """What SensorThings knows and this door does not hold yet."""
    return NotHeldError(Text(zh, en))
