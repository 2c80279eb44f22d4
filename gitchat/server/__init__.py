"""The MCP server: what an agent's client starts, on standard input and output."""
