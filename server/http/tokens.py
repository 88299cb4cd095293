"""Whether a caller shows the right token. Compared in constant time, so that the time it takes tells nothing."""

from __future__ import annotations

import base64
import binascii
import hmac


def shows_token(authorization: str, token: str) -> bool:
    """Bearer for programs; Basic with the token as password for browsers, which cannot send Bearer."""
    scheme, _, value = authorization.partition(" ")
    shown = value.strip().encode("latin-1", "replace")  # as it came: headers are bytes, whatever a token is made of
    if scheme.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(shown, token.encode())
