/** `loopchart/server`: threads over JSON-RPC, in the shapes of Codex's app-server. */
export { type ConnectionLimits, DEFAULT_LIMITS } from './connection.ts';
export { serveLines } from './lines.ts';
export type { OutboxLimits, Wire } from './outbox.ts';
export { type RecordedOptions, recordedThreads } from './recorded.ts';
export { ThreadServer, type ThreadServerOptions } from './server.ts';
export type { EventListener, PastLook, ThreadEntry, ThreadSource } from './source.ts';
export { type WebSocketListener, type WebSocketOptions, listenForWebSockets, makeToken } from './webSockets.ts';
