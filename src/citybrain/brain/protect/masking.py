"""Masking of personal values: enough stays to recognise a record, too little to use it (张三 → 张*). Pure."""

import re

from citybrain.kernel.text import Json

_NUMBER = re.compile(r"[+\d][\d \-]{9,}[\dXx]")


def masked(value: Json) -> Json:
    """A value without what makes it personal: numbers keep their ends, words their first character, all else goes."""
    if not isinstance(value, str) or not value:
        return None
    if _NUMBER.fullmatch(value):
        return value[:3] + "*" * (len(value) - 5) + value[-2:]
    return value[0] + "*" * max(1, min(len(value) - 1, 8))
