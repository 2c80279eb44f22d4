"""How a request's body is read, and what it is answered with: JSON, and an error as its three fields and a status."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from gitchat.model.errors import ChatError, ConflictError, FormatError, RemoteError, StorageError, UserError

MAX_BODY_BYTES = 2 * 1024 * 1024
"""The longest body of a request."""

STATUSES = {
    "no-token": 401,
    "no-code": 401,
    "foreign-host": 403,
    "foreign-origin": 403,
    "guest": 403,
    "not-your-name": 403,
    "not-yours": 403,
    "no-such-path": 404,
    "no-such-room": 404,
    "no-such-record": 404,
    "no-such-name": 404,
    "no-such-summary": 404,
    "no-such-file": 404,
    "bad-method": 405,
    "slow-request": 408,
    "name-taken": 409,
    "name-held": 409,
    "key-conflict": 409,
    "room-closed": 409,
    "room-exists": 409,
    "body-too-long": 413,
    "bad-content-type": 415,
    "rate-limited": 429,
    "still-counting": 503,
    "full": 503,
    "ending": 503,
    "disk-full": 507,
}
"""The status of an error by its code; what is not here has that of its class."""

COUNTING_SECONDS = 2
"""After how long to ask again for what is not there until a room's messages are counted."""

CLASSES: tuple[tuple[type[ChatError], int], ...] = (
    (UserError, 400),
    (ConflictError, 409),
    (StorageError, 503),
    (FormatError, 503),
    (RemoteError, 503),
)


def answer(value: Any, status: int = 200) -> JSONResponse:
    """``value`` as JSON."""
    return JSONResponse(value, status)


def status_of(error: ChatError) -> int:
    """The status that ``error`` is answered with."""
    found = next((status for kind, status in CLASSES if isinstance(error, kind)), 500)
    return STATUSES.get(error.code, found)


def refusal(error: ChatError, *, is_local: bool = False) -> JSONResponse:
    """What ``error`` is answered with; with ``is_local`` to the user whose process serves, who may know of places."""
    status = status_of(error)
    told = (str(error), error.hint) if is_local else (error.public_message, error.public_hint)
    said, hint, code = *told, error.code
    if not isinstance(error, UserError | ConflictError) and code not in STATUSES and code != "read-only":
        code = "damaged"
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = f'{getattr(error, "scheme", "Bearer")} realm="gitchat"'
    seconds = COUNTING_SECONDS if code == "still-counting" else getattr(error, "retry_seconds", None)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    return JSONResponse({"success": False, "error": said, "hint": hint, "code": code}, status, headers)


def defect() -> JSONResponse:
    """What a failure that nobody thought of is answered with: nothing of its cause."""
    said, hint = "gitchat failed in a way it does not know", "tell who runs the server: its standard error says more"
    return JSONResponse({"success": False, "error": said, "hint": hint, "code": "defect"}, 500)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object that is the body of ``request``.

    Raises:
        UserError: ``bad-content-type``, ``body-too-long``, ``bad-json``.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UserError(
            f"the body is {kind or 'of no type'}, and not application/json",
            hint="send the header Content-Type: application/json",
            code="bad-content-type",
        )
    body = await request.body()  # not below: its own errors are ValueErrors, too
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UserError("the body is not JSON in UTF-8", hint="send one JSON object", code="bad-json") from error
    if not isinstance(value, dict):
        raise UserError("the body is JSON, but no object", hint='send an object: {"message": ...}', code="bad-json")
    return value
