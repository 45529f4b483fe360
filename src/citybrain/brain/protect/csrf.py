"""Tokens that tie a form to a session, so that no other site can send it (HMAC-SHA-256 of the session's token). Pure."""

import hashlib
import hmac


def form_token(session: str) -> str:
    """What a form of this session carries, in hex."""
    return hmac.new(session.encode(), b"citybrain form", hashlib.sha256).hexdigest()


def fits(session: str, given: str) -> bool:
    """Whether a form's token belongs to the session; takes the same time either way."""
    return hmac.compare_digest(form_token(session).encode(), given.encode())
