/**
 * `loopchart/server`: threads over JSON-RPC, in the shapes of Codex's app-server, where a `turn` is a run. Where our rules differ, ours hold:
 *
 * - A steer that was accepted is never lost: one that the model has not read when its turn ends goes on in the next, or comes back.
 * - Every item that was started is completed once, before its turn is, also at an interrupt. A message that was taken back completes empty.
 * - At an interrupt, always in this order: requests are resolved, items end, the turn completes, the thread is idle, the interrupt is answered.
 *   What had streamed stays in the history, as a message that was cut short.
 * - A steer waits for a safe point: the model's answer is not cut (`steerMode: 'instant'` of a thread cuts it).
 * - Overrides of `turn/start` hold for that turn alone; settings of `thread/start`, `thread/resume` and `thread/fork` hold for all. Given to a
 *   busy thread, overrides wait for the next turn. `whenBusy` (`steer`, `queue`, `replace`, `reject`) chooses otherwise than to steer; what was
 *   queued is answered with `queuedSubmission` in place of `turn`.
 * - When a person is asked, and what tools may do, is up to the agents: `approvalPolicy`, `sandbox`, `permissions`, `cwd`, `outputSchema` and
 *   `dynamicTools` of a client change nothing, and a `warning` says so.
 * - Calls of function tools are items `mcpToolCall`, whose `server` is the agent; they ask as commands do (`item/commandExecution/requestApproval`
 *   with the call as the command), which every client shows. That item has no `declined`: it is `failed`, and its error says why.
 * - An agent that is used as a tool shows its items in the same turn; what it says is `commentary`.
 * - A compaction that was asked for while nothing goes on is a turn of its own. A run that was stopped counts as `interrupted`.
 * - A fork shows what it was given as one turn. Threads have no names and no archive; `thread/list` knows no archived ones.
 * - Who names the model that `thread/start` answers where none was asked for, changes no model: agents keep theirs.
 * - Commands are written as a shell takes them, calls of function tools as their name and their arguments. A patch of a file that is changed
 *   counts its lines from its own first one, because a model does not say where they stand.
 * - There is no account, configuration, skill, hook, plugin and mode of collaboration: what clients ask for before they show anything is
 *   answered with the least. Nor do threads have titles: one that is to make one is refused, and a name that is given is taken back at once.
 *   Of commands that a client itself wants to be run (`thread/shellCommand`), a `warning` says that they are not.
 * - What is no message at all is answered too, with the id null.
 */
export { type ConnectionLimits, DEFAULT_LIMITS } from './connection.ts';
export { serveLines } from './lines.ts';
export type { OutboxLimits, Wire } from './outbox.ts';
export { type RecordedOptions, recordedThreads } from './recorded.ts';
export { ThreadServer, type ThreadServerOptions } from './server.ts';
export type { EventListener, PastLook, ThreadEntry, ThreadSource } from './source.ts';
export { type WebSocketListener, type WebSocketOptions, listenForWebSockets, makeToken } from './webSockets.ts';
