"""How secrets of 256 random bits are kept: plain SHA-256, for guessing them is hopeless at any speed; never for a password."""

import hashlib


def digest(secret: str) -> str:
    """The SHA-256 of a secret, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()
