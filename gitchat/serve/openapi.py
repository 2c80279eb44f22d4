"""The contract as an OpenAPI document, made of its table. Pure. Source: OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from gitchat.serve import shapes
from gitchat.serve.contract import OPERATIONS, ROOT, Operation
from gitchat.serve.fields import Field
from gitchat.serve.shapes import Shape

PATH = f"{ROOT}/openapi.json"


def document(version: str) -> dict[str, Any]:
    """The OpenAPI document of ``version`` of gitchat, as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(ROOT + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gitchat",
            "version": version,
            "description": "A chatroom inside a git repository, over HTTP. Live delivery stands beside it: "
            "GET /api/v1/events (server-sent events) and /ws/ID (WebSocket); see docs/rest.md.",
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": shapes.NAMED,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "git chat token add NAME"}
            },
            "responses": {
                "Refused": {
                    "description": "What was asked for cannot be done as it was asked.",
                    "content": {"application/json": {"schema": shapes.named("Error")}},
                },
                "Failed": {
                    "description": "The server could not do it now; nothing of the cause is told to strangers.",
                    "content": {"application/json": {"schema": shapes.named("Error")}},
                },
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    kind = "application/json" if operation.answer is not None else "application/octet-stream"
    shown: dict[str, Any] = {
        "operationId": operation.act,
        "summary": operation.said,
        "tags": ["agents" if operation.is_seeds else "rooms"],
        "responses": {
            "200": {"description": "Done.", "content": {kind: {"schema": operation.answer or {}}}},
            "4XX": {"$ref": "#/components/responses/Refused"},
            "5XX": {"$ref": "#/components/responses/Failed"},
        },
    }
    beside = [_parameter(field) for field in operation.fields if field.where != "body"]
    body = [field for field in operation.fields if field.where == "body"]
    if beside:
        shown["parameters"] = beside
    if operation.has_body:
        shown["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(body)}}}
    return shown


def _parameter(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "in": field.where,
        "description": field.said,
        "required": field.is_required,
        "schema": field.schema,
    }


def _body(fields: list[Field]) -> Shape:
    """What is not required may also be null."""
    properties = {
        one.name: {**(one.schema if one.is_required else _or_null(one.schema)), "description": one.said}
        for one in fields
    }
    return {"type": "object", "properties": properties, "required": [one.name for one in fields if one.is_required]}


def _or_null(schema: Any) -> Shape:
    shape = dict(schema)
    if "enum" in shape:
        return shapes.or_null({**shape, "enum": [*shape["enum"], None]})
    return shapes.or_null(shape)
