"""Every error in one form, RFC 9457: `application/problem+json`. None repeats what was sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

MEDIA_TYPE = "application/problem+json"
PREFIX = "/api/"

GetResponse = Callable[[HttpRequest], HttpResponse]


def problem(
    status: int, detail: str = "", errors: Sequence[dict[str, str]] = (), wait: int | None = None
) -> HttpResponse:
    """`wait`: seconds after which it may be tried again."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = list(errors)
    response = HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE)
    if wait is not None:
        response["Retry-After"] = str(wait)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="jianzai"'
    return response


def handle(api: NinjaAPI) -> None:
    """Let the API say its own errors so."""
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(Http404, lambda _request, _error: problem(404))


def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    wait = error.wait if isinstance(error, Throttled) else None
    return problem(error.status_code, error.message, wait=wait)


def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Where and what, never what was sent: it may be somebody's number, also as a field's name."""
    rows = [{"where": _place(row), "what": str(row["msg"])} for row in error.errors]
    unlike = [row for n, row in enumerate(rows) if row not in rows[:n]]
    return problem(422, "the request is not as described", unlike)


def _place(row: dict[str, Any]) -> str:
    steps = row["loc"][:-1] if row.get("type") == "extra_forbidden" else row["loc"]
    return ".".join(str(step) for step in steps)


def api_answers(get_response: GetResponse) -> GetResponse:
    """Middleware: whatever else goes wrong below `/api/` takes the same form; a tag on answers.

    With `If-None-Match` an unchanged answer is 304. It is made, and the look audited, all the same.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith(PREFIX):
            return response
        if response.status_code >= 400 and response["Content-Type"] != MEDIA_TYPE:
            return _again(response)
        if response.status_code == 200 and request.method in ("GET", "HEAD"):
            return _tagged(request, response)
        return response

    return middleware


def _again(response: HttpResponse) -> HttpResponse:
    told = problem(response.status_code)
    if "Allow" in response:
        told["Allow"] = response["Allow"]
    return told


def _tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.streaming:
        return response
    tag = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    response["ETag"] = tag
    return get_conditional_response(request, etag=tag, response=response) or response
