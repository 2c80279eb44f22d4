// gitchat: kept by git chat setup, which writes this file anew
// Wakes an idle session of opencode when a message for its agent comes to a room of the repository.
// While a session is idle one `git-chat wait` waits for it, which tells each message once and ends with opencode. The
// session is told a number, and nothing that somebody else wrote. At most 20 turns an hour are begun this way.
import { spawn } from "node:child_process"

const PROGRAM = ["git-chat"]
const HOUR_MS = 3600 * 1000
const MAX_TURNS = 20
const WOKEN = 2 // the exit status of `git-chat wait --rewake` that there is news

export const Gitchat = async ({ client, directory }) => {
  let waiter = null
  let turns = []

  const end = () => {
    waiter?.kill()
    waiter = null
  }

  const wait = (session) => {
    end()
    const now = Date.now()
    turns = turns.filter((time) => now - time < HOUR_MS)
    if (turns.length >= MAX_TURNS) return
    const started = spawn(PROGRAM[0], [...PROGRAM.slice(1), "wait", "--rewake"], {
      cwd: directory,
      env: { ...process.env, OPENCODE: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    })
    waiter = started
    let said = ""
    started.on("error", () => {}) // not installed here: be silent
    started.stderr.on("data", (part) => (said = (said + part).slice(0, 2000)))
    started.on("close", (status) => {
      if (waiter !== started) return
      waiter = null
      if (status !== WOKEN) return
      turns.push(Date.now())
      const count = said.match(/\d+/)?.[0] ?? "messages"
      const parts = [{ type: "text", text: `gitchat: ${count} unread for you. Read them with check_in.` }]
      client.session.promptAsync({ path: { id: session }, body: { parts } }).catch(() => {})
    })
    started.unref()
    started.stderr.unref()
  }

  process.on("exit", end)
  return {
    event: async ({ event }) => {
      const about = event.properties ?? {}
      if (event.type === "session.idle") {
        const found = await client.session.get({ path: { id: about.sessionID } }).catch(() => null)
        if (found?.data && !found.data.parentID) wait(about.sessionID) // not a subagent's
      }
      if (event.type === "session.status" && about.status?.type === "busy") end()
    },
  }
}
