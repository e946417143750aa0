"""What is raised where a request cannot be done: one shape for all apps, turned into JSON by `webnet.api`."""

from typing import Any

from rest_framework import exceptions, status


class Refusal(exceptions.APIException):
    """A request that cannot be done as it stands.

    `code` is for programs, `message` for people, and `current` is the state that the refused request did not know
    about (given with 409).
    """

    status_code: int = status.HTTP_400_BAD_REQUEST

    def __init__(self, message: str, *, code: str, status_code: int = 400, current: Any = None) -> None:
        super().__init__(message, code)
        self.status_code = status_code
        self.current = current


class Conflict(Refusal):
    """409: the request is sound, but the state that it meets is another one than it was made for."""

    def __init__(self, message: str, *, code: str, current: Any = None) -> None:
        super().__init__(message, code=code, status_code=status.HTTP_409_CONFLICT, current=current)
