"""The REST API for other government systems: `/api/v1`, described by its own OpenAPI."""
