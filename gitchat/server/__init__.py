"""MCP: the tools for a model, over our own loop or the SDK's, and the texts that it reads.

Knows the verbs and what stays; no terminal.
"""
