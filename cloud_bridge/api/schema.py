"""The OpenAPI: what ninja makes of the operations, with the scopes and every kind of error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils import translation
from ninja import NinjaAPI

from cloud_bridge.api.problems import MEDIA_TYPE
from cloud_bridge.api.shapes import Problem

ERRORS = {
    "400": "not understood",
    "401": "no key, or none that is known",
    "403": "the key lacks the scope",
    "404": "not there, or outside of the client's region",
    "422": "a field is not as described",
    "429": "too many; Retry-After says when again",
}

REASON_HEADER = {
    "parameters": [
        {
            "in": "header",
            "name": "X-Reason",
            "required": False,
            "schema": {"type": "string", "minLength": 4, "maxLength": 200, "pattern": "^[!-~]+$"},
            "description": "why the whole number is needed; percent-encoded UTF-8, audited",
        }
    ]
}


class DescribedApi(NinjaAPI):
    """`NinjaAPI` whose description names scopes and errors too."""

    def get_openapi_schema(self, **options: Any) -> Any:
        with translation.override("en"):
            described = super().get_openapi_schema(**options)
            described["components"]["schemas"]["Problem"] = Problem.json_schema()
            for path in described["paths"].values():
                for operation in path.values():
                    operation["summary"] = str(operation["summary"])
                    operation["responses"] = _with_errors(operation["responses"])
        return described

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)

    def scopes(self) -> dict[str, str | None]:
        """The scope of every operation, by its id; None is closed to all."""
        return {name: each.auth_callbacks[0].scope for name, each in self._operations()}

    def summaries(self) -> dict[str, str]:
        """In the language of whoever reads now."""
        return {name: str(each.summary) for name, each in self._operations()}

    def _operations(self) -> Iterator[tuple[str, Any]]:
        for bound in self._get_bound_routers():
            for view in bound.path_operations.values():
                for operation in view.operations:
                    yield self.get_openapi_operation_id(operation), operation


def _with_errors(responses: dict[Any, Any]) -> dict[str, Any]:
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    wrong = {
        status: {"description": words, "content": {MEDIA_TYPE: shape}}
        for status, words in ERRORS.items()
    }
    return {str(status): told for status, told in responses.items()} | wrong
