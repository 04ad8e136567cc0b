/** What the tests of PostgreSQL need around a journal: schemas, other processes, and a line that can be cut. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, Pool } from 'pg';
import { afterAll, afterEach, vi } from 'vitest';
import type { JournalEntry } from 'loopchart';
import { type PostgresConfig, PostgresJournal, type PostgresJournalOptions } from 'loopchart/postgres';
import { startPostgres } from '../../support/postgresServer.ts';
import type { Answer, Order } from './postgresContender.ts';

/** The connections of journals, among all that the server has. */
export const OF_JOURNALS = `FROM pg_stat_activity WHERE application_name = 'loopchart'`;

/** A server for a test file, and what is closed after each of its tests. Without a server it says why, and the tests are to be skipped. */
export async function openWorld() {
  const server = await startPostgres();
  if (typeof server === 'string') console.warn(`No PostgreSQL server, so its journal was not tested:\n${server}`);
  const { config, url, stop } = typeof server === 'string' ? { config: { host: '', port: 0 }, url: '', stop: async () => undefined } : server;
  const admin = new Pool({ ...config, application_name: 'test' });
  admin.on('error', () => undefined); // the server may stop before it has read that a connection ends
  const ask = async <Row>(text: string, values?: unknown[]): Promise<Row[]> => (await admin.query<Row & object>(text, values)).rows;
  const opened: { close(): void | Promise<void> }[] = [];
  const closing = <One extends (typeof opened)[number]>(one: One): One => {
    opened.push(one);
    return one;
  };
  let schemas = 0;

  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close(); // journals before the lines that they use
  });
  afterAll(async () => {
    await admin.end();
    await stop();
  });
  return {
    isMissing: typeof server === 'string',
    config,
    url,
    ask,
    /** A connection of its own, for what takes more than one statement. */
    connected: async () => {
      const client = new Client(config);
      await client.connect();
      return closing({ query: (text: string) => client.query(text), close: () => client.end() });
    },
    freshSchema: () => `s${(schemas += 1)}`,
    journalOn: (schema: string, options: PostgresJournalOptions = {}, connection: string | PostgresConfig = config) => closing(new PostgresJournal(connection, { schema, ...options })),
    contender: (schema: string, options: PostgresJournalOptions = {}) => closing(new Contender(url, { schema, ...options })),
    lineToServer: async () => closing(await openLine(config)),
    /** How many connections journals have. */
    connections: async () => (await ask<{ count: number }>(`SELECT count(*)::int AS count ${OF_JOURNALS}`))[0]!.count,
  };
}

export const until = <Result>(condition: () => Promise<Result>) => vi.waitFor(condition, { timeout: 10_000, interval: 5 });

export const errorOf = (promise: Promise<unknown>): Promise<Error> => promise.then(() => { throw new Error('It succeeded.'); }, (error: Error) => error);

/** Entries for the places from one on; they differ by their text. */
export const steps = (from: number, count: number, text = 'x'): JournalEntry[] =>
  Array.from({ length: count }, (_, index) => ({ type: 'effect.started', id: `run_1/${text}${from + index}`, at: from + index }));

const script = fileURLToPath(new URL('postgresContender.ts', import.meta.url));

/** Another process with a journal of its own on the same database. */
class Contender {
  readonly #child: ChildProcess;

  constructor(connection: string, options: PostgresJournalOptions) {
    this.#child = fork(script, [connection, JSON.stringify(options)], { execArgv: [] });
  }

  async does(order: Order): Promise<Answer> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [answer] = (await answered) as [Answer]; // the only messages that it sends
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Nothing is left that it could be told. @returns the code with which it ends by itself. */
  async leave(): Promise<number | null> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    const [code] = (await exited) as [number | null]; // as Node gives it
    return code;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A line to the server on which one statement can be lost, or the answer to it. */
async function openLine(to: { host: string; port: number }): Promise<{ port: number; cut(what: 'statement' | 'answer'): void; close(): void }> {
  let cutting: 'statement' | 'answer' | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(to);
    const drop = () => {
      client.destroy();
      upstream.destroy();
    };
    const lose = (what: 'statement' | 'answer') => {
      if (cutting !== what) return false;
      cutting = undefined;
      drop();
      return true;
    };
    for (const socket of [client, upstream]) sockets.add(socket.on('error', drop).on('close', drop));
    client.on('data', (bytes) => void (lose('statement') || upstream.write(bytes)));
    upstream.on('data', (bytes) => void (lose('answer') || client.write(bytes)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port, // a server on TCP has one
    cut: (what) => void (cutting = what),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
