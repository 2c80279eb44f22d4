// The TypeScript SDK's client: node flow.mjs PACKAGES FLOW (URL HEADERS | COMMAND ARGUMENT...). FLOW is JSON: calls, each a tool
// and its arguments; "$NAME" stands for what an earlier answer called NAME. Prints the texts as one JSON list.
import { createRequire } from "node:module";

const require = createRequire(process.argv[2] + "/");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const [flow, first, ...rest] = process.argv.slice(3);
const client = new Client({ name: "typescript", version: "1" });
await client.connect(
  first.startsWith("http")
    ? new StreamableHTTPClientTransport(new URL(first), { requestInit: { headers: JSON.parse(rest[0] ?? "{}") } })
    : new StdioClientTransport({ command: first, args: rest, env: process.env, stderr: "inherit" }),
);

const known = {};
const texts = [];
for (const [name, given] of JSON.parse(flow)) {
  const filled = Object.entries(given).map(([key, value]) => [key, known[value] ?? value]);
  const result = await client.callTool({ name, arguments: Object.fromEntries(filled) }, undefined, { timeout: 60_000 });
  const text = result.content[0].text;
  texts.push(text);
  if (name === "join_topic") known[`$${given.agent_name}`] = JSON.parse(text).join_token;
}
await client.close();
console.log(JSON.stringify(texts));
