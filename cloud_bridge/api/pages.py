"""The API described for people to read, and the answer to addresses it does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from cloud_bridge.api.problems import problem
from cloud_bridge.api.service import api
from cloud_bridge.console.public_views import in_language
from cloud_bridge.registry.api_clients import SCOPES


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """Made from the OpenAPI itself, so that it cannot tell of another API."""
    described = api.get_openapi_schema()
    values = {
        "operations": list(_operations(described)),
        "scopes": SCOPES.items(),
        "shapes": _shapes(described),
        "address": request.build_absolute_uri("/api/v1"),
    }
    return in_language(request, "console/api_docs.html", values)


@csrf_exempt
def nothing_here(_request: HttpRequest, rest: str) -> HttpResponse:
    del rest
    return problem(404)


def _operations(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    scopes, words = api.scopes(), api.summaries()
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            name = told["operationId"]
            yield {
                "id": name,
                "method": method.upper(),
                "path": path.removeprefix("/api/v1"),
                "words": words[name],
                "scope": scopes[name] or _("any"),
                "parameters": [_parameter(each) for each in told["parameters"]],
                "body": _reference(told.get("requestBody", {})),
                "answer": _reference(told["responses"]["200"]),
            }


def _parameter(told: dict[str, Any]) -> dict[str, Any]:
    name = {"in": told["in"], "name": told["name"], "required": told.get("required")}
    return name | {"type": type_of(told["schema"])}


def _reference(told: dict[str, Any]) -> str:
    """Name of the shape of a body."""
    shapes = [content["schema"] for content in told.get("content", {}).values()]
    return type_of(shapes[0]) if shapes else ""


def _shapes(described: dict[str, Any]) -> list[dict[str, Any]]:
    shapes = described["components"]["schemas"]
    return [
        {
            "name": name,
            "fields": [(field, type_of(told)) for field, told in shape["properties"].items()],
        }
        for name, shape in sorted(shapes.items())
    ]


def type_of(told: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if "anyOf" in told:
        return " | ".join(type_of(each) for each in told["anyOf"])
    if "enum" in told:
        return " | ".join(map(str, told["enum"]))
    if "const" in told:
        return str(told["const"])
    if told.get("type") == "array":
        return f"[{type_of(told['items'])}]"
    return str(told.get("format", told.get("type", "object")))
