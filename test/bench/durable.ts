/** W7: what it costs that a turn survives its process, beside a hand-written loop that appends a row a turn to SQLite. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { SqliteJournal } from '../../adapters/journals/sqlite.ts';
import { Agent, run, stateFromJournal, tool } from '../../index.ts';
import { LOOK, longRunModel, loopTool, parameters, resultOf } from './fixtures/longRun.ts';
import { ANSWER } from './fixtures/zeroLatencyModel.ts';
import type { Figure } from './figures.ts';
import { loop } from './loop.ts';
import { type MeasureOptions, type Measurement, measure, quantile } from './measure.ts';

export interface DurableSizes { turns: readonly number[]; opening: number }
export const DURABLE: DurableSizes = { turns: [25, 50, 100, 200], opening: 1_000 };
/** A tool that may run twice leaves two entries a turn; one of which nothing is known, three. */
const KINDS = { pure: 'pure', 'declares nothing': undefined } as const;
type Kind = keyof typeof KINDS;
const AIMS = { ratio: 3, growth: 1.1, bytes: 2_048, openingMs: 150 };
const TMPFS = 0x01021994;

export async function measureDurable({ turns, opening }: DurableSizes, options: MeasureOptions): Promise<Figure[]> {
  const folder = folderOnDisk();
  try {
    const sizes: { turns: number; measurements: Measurement[] }[] = [];
    for (const size of turns) sizes.push({ turns: size, measurements: await measureSize(folder, size, options) });
    const kinds = Object.keys(KINDS) as Kind[]; // the keys just above
    return [...kinds.flatMap((kind, at) => figuresOf(kind, sizes.map(({ turns, measurements }) => ({ turns, loop: measurements[0]!, own: measurements[at + 1]! })))), ...await bytes(folder, turns), await measureOpening(folder, opening, options)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Memory that looks like a disk would make the journal look free. */
function folderOnDisk(): string {
  const beside = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
  if (statfsSync(tmpdir()).type !== TMPFS) return mkdtempSync(join(tmpdir(), 'loopchart-bench-'));
  mkdirSync(beside, { recursive: true });
  return mkdtempSync(join(beside, 'bench-'));
}

interface Side { turns: number; loop: Measurement; own: Measurement }

function figuresOf(kind: Kind, sides: readonly Side[]): Figure[] {
  const perTurn = ({ median }: Measurement, turns: number) => (median / turns) * 1_000;
  const costs = sides.map(({ turns, loop, own }): Figure => ({
    workload: 'W7', what: `durable turn, tool that ${kind === 'pure' ? 'is pure' : kind}, ${turns} turns`, unit: 'µs', value: perTurn(own, turns), loop: perTurn(loop, turns), ratio: own.ratio, aim: { of: 'ratio', most: AIMS.ratio },
  }));
  const [first, last] = [costs[0]!, costs.at(-1)!];
  const [from, to] = [sides[0]!.turns, sides.at(-1)!.turns];
  return [...costs, { workload: 'W7', what: `a turn at ${to} turns to one at ${from}, tool that ${kind === 'pure' ? 'is pure' : kind}`, unit: '×', value: last.value / first.value, loop: last.loop! / first.loop!, aim: { of: 'value', most: AIMS.growth } }];
}

async function measureSize(folder: string, turns: number, options: MeasureOptions): Promise<Measurement[]> {
  const rows = new LoopRows(join(folder, `loop-${turns}.db`));
  const journal = new SqliteJournal(join(folder, `journal-${turns}.db`));
  const model = longRunModel(turns);
  const tools = [loopTool(LOOK, ({ at }) => resultOf(at))];
  const subjects = (Object.keys(KINDS) as Kind[]).map((kind) => { // as above
    const agent = agentOf(kind, turns);
    return { name: kind, run: async () => checked((await run(agent, 'go', { journal, maxTurns: null })).finalOutput) };
  });
  try {
    return await measure([{ name: 'loop', run: async () => checked((await loop({ model, tools, input: 'go', maxTurns: turns + 1, onTurn: rows.writer() })).output) }, ...subjects], options);
  } finally {
    rows.close();
    journal.close();
  }
}

function agentOf(kind: Kind, turns: number): Agent {
  const effect = KINDS[kind];
  const look = tool({ name: LOOK, description: LOOK, parameters, execute: ({ at }) => resultOf(at), ...(effect && { effect }) });
  return new Agent({ name: 'Bench', model: longRunModel(turns), tools: [look] });
}

function checked(output: unknown): void {
  if (output !== ANSWER) throw new Error(`A durable run ended with ${JSON.stringify(output)}.`);
}

/** One row a turn, as durable as the journal is. */
class LoopRows {
  readonly #database: DatabaseSync;
  #runs = 0;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
    this.#database.exec('CREATE TABLE turns (run INTEGER NOT NULL, position INTEGER NOT NULL, items TEXT NOT NULL, PRIMARY KEY (run, position)) STRICT');
  }

  writer(): (items: readonly unknown[]) => void {
    const insert = this.#database.prepare('INSERT INTO turns VALUES (?, ?, ?)');
    const number = (this.#runs += 1);
    let position = 0;
    return (items) => void insert.run(number, (position += 1), JSON.stringify(items));
  }

  close(): void {
    this.#database.close();
  }
}

/** What the journal writes for a turn beyond the items of it, as their JSON. */
async function bytes(folder: string, turns: readonly number[]): Promise<Figure[]> {
  const [from, to] = [turns[0]!, turns.at(-1)!];
  const figures: Figure[] = [];
  for (const kind of Object.keys(KINDS) as Kind[]) { // as above
    const [small, large] = [await written(folder, kind, from), await written(folder, kind, to)];
    const value = (large.beyond - small.beyond) / (to - from);
    figures.push({ workload: 'W7', what: `written per turn beyond its items (${Math.round((large.items - small.items) / (to - from))} bytes), tool that ${kind === 'pure' ? 'is pure' : kind}`, unit: 'bytes', value, aim: { of: 'value', most: AIMS.bytes } });
  }
  return figures;
}

async function written(folder: string, kind: Kind, turns: number): Promise<{ items: number; beyond: number }> {
  const path = join(folder, `bytes-${turns}-${kind.replaceAll(' ', '-')}.db`);
  const journal = new SqliteJournal(path);
  const { history } = await run(agentOf(kind, turns), 'go', { journal, maxTurns: null });
  journal.close();
  const database = new DatabaseSync(path, { readOnly: true });
  const total = Number(database.prepare('SELECT sum(length(cast(text AS BLOB))) AS total FROM entries').get()!['total']);
  database.close();
  const items = history.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
  return { items, beyond: total - items };
}

async function measureOpening(folder: string, turns: number, { rounds, now }: MeasureOptions): Promise<Figure> {
  const path = join(folder, 'opening.db');
  const agent = agentOf('declares nothing', turns);
  const journal = new SqliteJournal(path);
  await run(agent, 'go', { journal, runId: 'long', maxTurns: null });
  journal.close();
  if (!existsSync(path)) throw new Error('The journal is not where it was made.');
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const reopened = new SqliteJournal(path);
    const began = now();
    await stateFromJournal('long', { journal: reopened, agents: agent });
    times.push(now() - began);
    reopened.close();
  }
  return { workload: 'W7', what: `opening a run of ${turns.toLocaleString('en-US')} turns (stateFromJournal)`, unit: 'ms', value: quantile(times, 0.5), aim: { of: 'value', most: AIMS.openingMs } };
}
