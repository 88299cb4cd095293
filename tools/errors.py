"""What can go wrong when another system is asked something.

Every client translates its library's exceptions into these two at its own edge, so that the rest of the
program decides about a retry by type and never by reading a message.
"""

from __future__ import annotations


class UpstreamError(Exception):
    """A system did not give what was asked.

    ``system`` is the folder name under ``tools/`` ("bitbucket"), ``url`` the address without its query string
    and without credentials, ``hint`` what a person can do about it (one sentence, may be empty).
    """

    def __init__(self, message: str, *, system: str, url: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        self.url = url
        self.hint = hint

    def __str__(self) -> str:
        where = f" ({self.url})" if self.url else ""
        return f"{self.system}: {self.message}{where}"


class TemporaryError(UpstreamError):
    """Worth asking again later: a timeout, 429, 5xx, a refused connection.

    ``retry_after`` is in seconds where the system named a time, else ``None``. ``not_accepted`` is true where it is
    certain that the system did nothing: it was not reached, or it said that it will not take the request now.
    """

    def __init__(
        self,
        message: str,
        *,
        system: str,
        url: str = "",
        hint: str = "",
        retry_after: float | None = None,
        not_accepted: bool = False,
    ) -> None:
        super().__init__(message, system=system, url=url, hint=hint)
        self.retry_after = retry_after
        self.not_accepted = not_accepted


class PermanentError(UpstreamError):
    """Asking again changes nothing until a person does: 401, 403, 404, a malformed answer."""
