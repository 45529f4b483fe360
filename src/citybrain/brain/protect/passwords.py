"""Passwords: what is strong enough, and how they are kept (Argon2id, RFC 9106)."""

import string
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text

_SHORTEST, _CLASSES = 8, 3
_HASHER = PasswordHasher()


def check_strength(password: str, login: str) -> None:
    """Raise BadInputError for a weak password: 8 characters of three classes, without the login (GB/T 22239 asks for complexity)."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    kinds = sum(any(character in each for character in password) for each in classes)
    kinds += any(character not in string.ascii_letters + string.digits for character in password)
    if len(password) < _SHORTEST or kinds < _CLASSES or login.casefold() in password.casefold():
        what = Text(
            "密码强度不足：至少 8 位，含大写字母、小写字母、数字、其他字符中的三类，且不得包含登录名。",
            "The password is too weak: 8 characters at least, three of upper, lower, digits and others, without the login name.",
        )
        raise BadInputError(what, field="password")


def hashed(password: str) -> str:
    """The Argon2id hash with its parameters and salt; takes tens of milliseconds."""
    return _HASHER.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether a password fits the kept hash; without one it takes as long and says no. Call it off the event loop."""
    try:
        return _HASHER.verify(kept or _nobody(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash("the account that does not exist")
