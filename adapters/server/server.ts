/** Threads for clients that speak the protocol of Codex's app-server, over any transport. */
import { systemClock } from '../../actors/clock.ts';
import type { Clock } from '../../actors/ports.ts';
import { type Answer, Connection, type ConnectionLimits, type Reply, type Service } from './connection.ts';
import { clearGoal, getGoal, setGoal } from './methods/goals.ts';
import { listModels } from './methods/models.ts';
import { addToQueue, deleteFromQueue, listQueue, reorderQueue, startFromQueue, updateQueue } from './methods/queue.ts';
import { compact, forkThread, injectItems, listItems, listLoaded, listThreads, listTurns, readThread, resumeThread, revertThread, startThread, unsubscribe } from './methods/threads.ts';
import { interruptTurn, startTurn, steerTurn } from './methods/turns.ts';
import type { Wire } from './outbox.ts';
import type { ParamsOf, RequestMethod } from './requestSchemas.ts';
import type { RequestId } from './shapes.ts';
import type { ThreadSource } from './source.ts';
import { Threads } from './threads.ts';

export interface ThreadServerOptions {
  threads: ThreadSource;
  /** Version of the program that serves, as clients are told. */
  version: string;
  /** Working directory and home, as clients are told; absolute paths. */
  cwd: string;
  home: string;
  /** As of Node's `process.platform`. */
  platform: string;
  limits?: Partial<ConnectionLimits>;
  /** How long a thread stays open that nobody follows and in which nothing goes on, in ms. Default 60,000. */
  unloadAfterMs?: number;
  /** Default: the system's. */
  clock?: Clock;
}

type Method<Name extends RequestMethod> = (threads: Threads, connection: Connection, params: ParamsOf<Name>) => Reply | Promise<Reply>;

const METHODS: { [Name in Exclude<RequestMethod, 'initialize'>]: Method<Name> } = {
  'model/list': (threads, _, params) => listModels(threads, params),
  'thread/start': startThread,
  'thread/resume': resumeThread,
  'thread/fork': forkThread,
  'thread/list': (threads, _, params) => listThreads(threads, params),
  'thread/loaded/list': (threads, _, params) => listLoaded(threads, params),
  'thread/read': (threads, _, params) => readThread(threads, params),
  'thread/turns/list': (threads, _, params) => listTurns(threads, params),
  'thread/items/list': (threads, _, params) => listItems(threads, params),
  'thread/revert': (threads, _, params) => revertThread(threads, params),
  'thread/unsubscribe': unsubscribe,
  'thread/compact/start': compact,
  'thread/inject_items': (threads, _, params) => injectItems(threads, params),
  'thread/goal/set': (threads, _, params) => setGoal(threads, params),
  'thread/goal/get': (threads, _, params) => getGoal(threads, params),
  'thread/goal/clear': (threads, _, params) => clearGoal(threads, params),
  'thread/queue/add': addToQueue,
  'thread/queue/list': (threads, _, params) => listQueue(threads, params),
  'thread/queue/update': (threads, _, params) => updateQueue(threads, params),
  'thread/queue/reorder': (threads, _, params) => reorderQueue(threads, params),
  'thread/queue/delete': (threads, _, params) => deleteFromQueue(threads, params),
  'thread/queue/start': startFromQueue,
  'turn/start': startTurn,
  'turn/steer': (threads, _, params) => steerTurn(threads, params),
  'turn/interrupt': (threads, _, params) => interruptTurn(threads, params),
};

export class ThreadServer implements Service {
  readonly #options: ThreadServerOptions;
  readonly #threads: Threads;
  readonly #connections = new Set<Connection>();

  constructor(options: ThreadServerOptions) {
    this.#options = options;
    const { threads: source, cwd, version, clock = systemClock, unloadAfterMs = 60_000 } = options;
    this.#threads = new Threads({ source, clock, cwd, version, unloadAfterMs, everybody: () => this.#connections });
  }

  connect(wire: Wire): Connection {
    const connection = new Connection(wire, this, this.#options.limits);
    this.#connections.add(connection);
    return connection;
  }

  /** Gives all threads back, so that another process can go on with them, and disconnects everybody. */
  async close(): Promise<void> {
    await this.#threads.close();
    for (const connection of [...this.#connections]) connection.close('The server shuts down.');
  }

  initialize(_: Connection, { clientInfo }: ParamsOf<'initialize'>): unknown {
    const { version, home, platform } = this.#options;
    const os = platform === 'darwin' ? 'macos' : platform === 'win32' ? 'windows' : platform;
    return { userAgent: `loopchart/${version} (${clientInfo.name}; ${clientInfo.version})`, codexHome: home, platformFamily: os === 'windows' ? 'windows' : 'unix', platformOs: os };
  }

  async request<Name extends RequestMethod>(connection: Connection, name: Name, params: ParamsOf<Name>): Promise<Reply> {
    const method = METHODS[name as Exclude<Name, 'initialize'>] as Method<Name>; // a connection answers `initialize` itself
    return method(this.#threads, connection, params);
  }

  answered(_: Connection, id: RequestId, answer: Answer): void {
    this.#threads.asks.answered(id, answer);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#threads.leaveAll(connection);
  }
}
