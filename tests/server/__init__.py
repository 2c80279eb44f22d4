"""The MCP server from outside: real clients, real processes, real bytes."""
