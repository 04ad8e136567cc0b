/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { Agent, MemoryJournal } from 'loopchart';
import { DEFAULT_LIMITS, type ThreadEntry, ThreadServer, type ThreadSource, type WebSocketListener, type Wire, listenForWebSockets, makeToken, recordedThreads, serveLines } from 'loopchart/server';

const agent = new Agent({ name: 'Assistant' });
const threads = recordedThreads({ agent, agents: [new Agent<{ user: string }>({ name: 'Other' })], journal: new MemoryJournal(), models: ['fast'], options: { maxTurns: null, whenBusy: 'queue' } });
threads satisfies ThreadSource;
(await threads.list()) satisfies readonly ThreadEntry[];
// @ts-expect-error A thread has an id of its own.
recordedThreads({ agent, options: { threadId: 'thread_1' } });
// @ts-expect-error Somebody has to speak.
recordedThreads({ journal: new MemoryJournal() });

const server = new ThreadServer({ threads, version: '1.0.0', cwd: '/', home: '/', platform: process.platform, limits: { requests: DEFAULT_LIMITS.requests * 2 } });
// @ts-expect-error Where threads come from has to be said.
new ThreadServer({ version: '1.0.0', cwd: '/', home: '/', platform: 'linux' });

await serveLines(server, { input: process.stdin, output: process.stdout });
const listener: WebSocketListener = await listenForWebSockets(server, { port: 0, token: makeToken(), origins: ['http://localhost:3000'] });
listener.url.toUpperCase();
// @ts-expect-error Nobody is let in without a token.
await listenForWebSockets(server, { port: 0 });

const wire: Wire = { send: (text, written) => (text.toUpperCase(), written()), close: (reason) => void reason.toUpperCase() };
server.connect(wire).receive('{}');
await server.close();
