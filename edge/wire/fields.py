"""What every reader of a body begins with. Raises `WireError("body")`."""

from __future__ import annotations

import json
from typing import Any

from edge.domain.errors import WireError


def json_object(body: bytes) -> dict[str, Any]:
    """The fields of a body that has to be a JSON object."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError("body", "not JSON") from error
    if not isinstance(fields, dict):
        raise WireError("body", "not an object")
    return fields


def need(condition: bool, name: str) -> None:
    if not condition:
        raise WireError("body", f"field {name} is not of its kind")
