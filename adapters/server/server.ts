/** Threads for clients that speak the protocol of Codex's app-server, over any transport. */
import { systemClock } from '../../actors/clock.ts';
import type { Clock } from '../../actors/ports.ts';
import { type Answer, Connection, type ConnectionLimits, type Reply, type Service } from './connection.ts';
import { listHooks, listModes, listSkills, listToolServers, nameThread, readAccount, readConfig, readConfigRequirements, runShellCommand } from './methods/absent.ts';
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

type Method<Name extends RequestMethod> = (threads: Threads, params: ParamsOf<Name>, connection: Connection) => Reply | Promise<Reply>;

const METHODS: { [Name in Exclude<RequestMethod, 'initialize'>]: Method<Name> } = {
  'account/read': readAccount,
  'config/read': readConfig,
  'configRequirements/read': readConfigRequirements,
  'skills/list': listSkills,
  'hooks/list': listHooks,
  'collaborationMode/list': listModes,
  'mcpServerStatus/list': listToolServers,
  'thread/shellCommand': runShellCommand,
  'thread/name/set': nameThread,
  'model/list': listModels,
  'thread/start': startThread,
  'thread/resume': resumeThread,
  'thread/fork': forkThread,
  'thread/list': listThreads,
  'thread/loaded/list': listLoaded,
  'thread/read': readThread,
  'thread/turns/list': listTurns,
  'thread/items/list': listItems,
  'thread/revert': revertThread,
  'thread/unsubscribe': unsubscribe,
  'thread/compact/start': compact,
  'thread/inject_items': injectItems,
  'thread/goal/set': setGoal,
  'thread/goal/get': getGoal,
  'thread/goal/clear': clearGoal,
  'thread/queue/add': addToQueue,
  'thread/queue/list': listQueue,
  'thread/queue/update': updateQueue,
  'thread/queue/reorder': reorderQueue,
  'thread/queue/delete': deleteFromQueue,
  'thread/queue/start': startFromQueue,
  'turn/start': startTurn,
  'turn/steer': steerTurn,
  'turn/interrupt': interruptTurn,
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
    return method(this.#threads, params, connection);
  }

  answered(_: Connection, id: RequestId, answer: Answer): void {
    this.#threads.asks.answered(id, answer);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#threads.leaveAll(connection);
  }
}
