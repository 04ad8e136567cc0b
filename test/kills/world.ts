/** The world around the runs: what their effects change, kept in files that outlive a process, or in memory. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentInputItem, MemorySession, type Session } from '../../index.ts';
import { chanceOf } from './chance.ts';
import { type Ledger, type Line, fileLedger } from './ledger.ts';

/** An effect that has happened. */
export interface Deed { key: string; callId: string; text: string }

export interface World {
  ledger: Ledger;
  /** Happens when it returns. */
  act(deed: Deed): void;
  deeds(): Deed[];
  /** Some requests fail the first time that they are made, in whatever process. */
  isDown(digest: string): boolean;
  session(name: string): Session;
}

const failsAtFirst = (seed: string, digest: string) => chanceOf('provider', seed, digest)() < 0.15;

export function memoryWorld(seed: string): World & { sessions: Map<string, MemorySession> } {
  const done: Deed[] = [];
  const asked = new Set<string>();
  const sessions = new Map<string, MemorySession>();
  return {
    sessions,
    ledger: { note: () => Promise.resolve() },
    act: (deed) => void done.push(deed),
    deeds: () => done,
    isDown: (digest) => failsAtFirst(seed, digest) && asked.size < asked.add(digest).size,
    session: (name) => sessions.get(name) ?? sessions.set(name, new MemorySession()).get(name)!,
  };
}

/** @param life which process of this world this is: each writes to files of its own. */
export function fileWorld(folder: string, life: number, seed: string, tell: (line: Line) => void): World {
  for (const name of ['ledger', 'deeds', 'asked', 'sessions']) mkdirSync(join(folder, name), { recursive: true });
  const ledger = fileLedger(join(folder, 'ledger', `${life}.jsonl`), tell);
  const book = openSync(join(folder, 'deeds', `${life}.jsonl`), 'a');
  return {
    ledger,
    act: (deed) => void writeSync(book, `${JSON.stringify(deed)}\n`),
    deeds: () => deedsIn(folder),
    isDown: (digest) => failsAtFirst(seed, digest) && isFirst(join(folder, 'asked', digest)),
    session: (name) => new FileSession(join(folder, 'sessions', `${name}.jsonl`), name, ledger),
  };
}

export const deedsIn = (folder: string): Deed[] => readdirSync(join(folder, 'deeds')).flatMap((name) => whole(textOf(join(folder, 'deeds', name))) as Deed[]); // as written by act

/** Nothing for a file that nobody came to write. */
export const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Lines up to the last whole one. */
const whole = (text: string): unknown[] => text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as unknown);

function isFirst(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false; // Expected: it was asked before.
    throw error;
  }
}

/** Stores one item after the other, so that a batch can be cut anywhere. */
class FileSession implements Session {
  readonly #path: string;
  readonly #name: string;
  readonly #ledger: Ledger;

  constructor(path: string, name: string, ledger: Ledger) {
    this.#path = path;
    this.#name = name;
    this.#ledger = ledger;
    if (!existsSync(path)) return;
    const text = readFileSync(path);
    truncateSync(path, text.lastIndexOf('\n') + 1); // what was cut does not count
  }

  async getSessionId(): Promise<string> {
    return this.#name;
  }

  async getItems(limit?: number): Promise<AgentInputItem[]> {
    const items = sessionItems(this.#path);
    return limit === undefined ? items : items.slice(-limit);
  }

  async addItems(items: AgentInputItem[]): Promise<void> {
    await this.#ledger.note({ what: 'stores', session: this.#name });
    const file = openSync(this.#path, 'a');
    for (const item of items) {
      writeSync(file, `${JSON.stringify(item)}\n`);
      await this.#ledger.note({ what: 'stored', session: this.#name });
    }
    closeSync(file);
  }

  popItem(): Promise<AgentInputItem | undefined> {
    throw new Error('Nothing is taken out of this session.');
  }

  clearSession(): Promise<void> {
    throw new Error('This session is not cleared.');
  }
}

export const sessionItems = (path: string): AgentInputItem[] => whole(textOf(path)) as AgentInputItem[]; // as written by addItems
