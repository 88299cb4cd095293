"""Who is at the terminal, for the record of decisions."""

from __future__ import annotations


def person() -> str:
    """The account's name, as the operating system knows it and not as an environment variable claims."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
