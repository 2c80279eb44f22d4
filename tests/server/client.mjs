// The TypeScript SDK's client: node client.mjs PACKAGES COMMAND ARGUMENT..., or PACKAGES URL TOKEN for a server over HTTP.
// Prints what it saw as one JSON object.
// It joins as "typescript", subscribes, and waits, until somebody else sends a message.
import { createRequire } from "node:module";

const require = createRequire(process.argv[2] + "/");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { ResourceUpdatedNotificationSchema } = require("@modelcontextprotocol/sdk/types.js");

const [command, ...args] = process.argv.slice(3);
const client = new Client({ name: "typescript", version: "1" });
const transport = command.startsWith("http")
  ? new StreamableHTTPClientTransport(new URL(command), { requestInit: { headers: { Authorization: `Bearer ${args[0]}` } } })
  : new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" });
await client.connect(transport);

const updated = new Promise((resolve) =>
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri)),
);
const call = (name, given) => client.callTool({ name, arguments: given }, undefined, { timeout: 60_000 });

const seen = { server: client.getServerVersion(), instructions: client.getInstructions() };
seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
seen.prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
seen.joined = await call("join", { name: "typescript" });
await client.subscribeResource({ uri: "chat://rooms/lobby" });
seen.sent = await call("send_message", { name: "typescript", content: "ready" });
seen.refused = await call("read_messages", { limit: 0 });
seen.waited = await call("read_unread", { name: "typescript", wait_seconds: 50 });
seen.updated = await updated;
seen.resource = (await client.readResource({ uri: "chat://rooms" })).contents[0];
await client.close();
console.log(JSON.stringify(seen));
