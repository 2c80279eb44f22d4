"""The types of messages that docs/types.md describes. Any other slug is as good; these are what is offered. Pure."""

from __future__ import annotations

KNOWN = (
    *("question", "answer", "blocker", "decision", "status", "broadcast"),
    *("task_proposal", "task_accept", "task_assignment", "progress", "task_complete", "request_more_work"),
    *("cancel_task", "interrupt", "handoff", "review_request", "review_result", "presence", "ping", "ack"),
    *("heartbeat", "request", "response"),
)
