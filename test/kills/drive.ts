/** One world from its beginning until all of its runs are over, its processes killed on the way. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Journal, type JournalEntry, MemoryJournal, type RunEvent, checkReplay, readEvents } from '../../index.ts';
import { type Evidence, type Expected, audit } from './audit.ts';
import { castOf } from './cast.ts';
import { between, chanceOf, oneOf } from './chance.ts';
import { type Line, LETTERS, linesOf, overBy } from './ledger.ts';
import { live } from './life.ts';
import { type WorldPlan, worldPlan } from './plan.ts';
import { type Hit, hitBy } from './regions.ts';
import { journalIn } from './store.ts';
import { deedsIn, memoryWorld, sessionItems, textOf } from './world.ts';

/**
 * When a process is to die: so long after its start, as soon as it is heard to have written a line for the nth time, or by its own hand
 * at that very line. One that writes few lines of the kind dies after so many of any kind.
 */
export type Moment = { by: 'time'; ms: number } | { by: 'line' | 'itself'; letter: string; nth: number; most: number } | { by: 'nobody' };
export interface Death { moment: Moment; hit: Hit }
export interface WorldReport { seed: string; deaths: Death[]; lives: number; findings: string[] }

/** More deaths than this teach no more about one world. */
const MOST_DEATHS = 60;
const MOST_LIVES = 90;
/** A process that has not ended by then hangs: all of its work takes a second. */
const HANG_MS = 30_000;

export interface DriveOptions { bundle: string; folder: string; env: NodeJS.ProcessEnv; seed: string; onDeath: (death: Death) => void; /** No more are to die: the runs only come to their end. */ isEnough: () => boolean; signal: AbortSignal; keep?: boolean }

export async function driveWorld({ bundle, folder, env, seed, onDeath, isEnough, signal, keep }: DriveOptions): Promise<WorldReport> {
  const plan = worldPlan(seed);
  const report: WorldReport = { seed, deaths: [], lives: 0, findings: [] };
  const over = new Set<string>();
  const threads = new Set(plan.threads.map(({ threadId }) => threadId));
  while (!signal.aborted && report.findings.length === 0 && !isOver(plan, over)) {
    const moment = report.deaths.length < MOST_DEATHS && !isEnough() ? momentOf(seed, report.lives) : { by: 'nobody' as const };
    const told = moment.by === 'itself' ? [moment.letter, String(moment.nth)] : [];
    const child = spawn(process.execPath, [bundle, folder, String(report.lives), seed, [...over].join(','), ...told], { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    const { ending, complaint } = await ended(child, moment, signal);
    const lines = linesIn(folder, report.lives);
    for (const one of lines.flatMap(overBy)) over.add(one);
    report.lives += 1;
    if (ending === 'killed') {
      report.deaths.push({ moment, hit: hitBy(lines, threads) });
      onDeath(report.deaths.at(-1)!);
    } else if (ending !== 'done') report.findings.push(`life ${report.lives - 1} ${ending}: ${complaint}`);
    if (report.lives > MOST_LIVES) report.findings.push(`it is not over after ${report.lives} processes`);
  }
  if (!signal.aborted && report.findings.length === 0) report.findings.push(...await examined(plan, folder, report.lives));
  if (!keep) rmSync(folder, { recursive: true, force: true });
  return report;
}

/** Compares what is left of a world with what should be. */
export async function examined(plan: WorldPlan, folder: string, lives: number): Promise<string[]> {
  const journal = journalIn(folder, plan.store);
  try {
    const recorded = await recordedIn(journal, plan);
    const { entries } = recorded;
    const evidence: Evidence = { plan, lives: Array.from({ length: lives }, (_, life) => linesIn(folder, life)), ...recorded, deeds: deedsIn(folder), session: sessionItems(join(folder, 'sessions', 'conversation.jsonl')) };
    const found = audit(evidence, await undisturbed(plan));
    for (const [runId, list] of entries) {
      const verdict = await checkReplay(runId, () => list);
      if (verdict.verdict !== 'same') found.push(`O5: ${runId} ${verdict.verdict}: ${verdict.why}`);
    }
    return found;
  } finally {
    journal.close();
  }
}

/** What a journal has of a world in the end. */
export async function recordedIn(journal: Journal, plan: WorldPlan): Promise<Pick<Evidence, 'entries' | 'events'>> {
  const entries = new Map<string, readonly JournalEntry[]>();
  for (const id of idsIn(plan)) entries.set(id, await journal.read(id));
  const agents = castOf(plan, memoryWorld(plan.seed)).host;
  const events = new Map<string, RunEvent[]>();
  for (const { threadId } of plan.threads) {
    const told: RunEvent[] = [];
    for await (const event of readEvents(threadId, { journal, agents })) told.push(event);
    events.set(threadId, told);
  }
  return { entries, events };
}

/** The same runs, in this process, with nobody killed. What becomes of threads depends on when they are told, so that they are not among them. */
export async function undisturbed(all: WorldPlan): Promise<Expected> {
  const plan = { ...all, threads: [] };
  const world = memoryWorld(plan.seed);
  const journal = new MemoryJournal();
  const outcomes = new Map<string, Extract<Line, { what: 'over' }>>();
  world.ledger.note = async (line) => void (line.what === 'over' && outcomes.set(line.run, line));
  while (outcomes.size < plan.runs.length) await live({ plan, world, journal, over: new Set(outcomes.keys()) });
  return { outcomes, session: await world.session('conversation').getItems() };
}

const idsIn = ({ runs, threads }: WorldPlan): string[] => [...runs.map(({ runId }) => runId), ...threads.map(({ threadId }) => threadId)];
export const isOver = (plan: WorldPlan, over: ReadonlySet<string>): boolean => idsIn(plan).every((id) => over.has(id));

const linesIn = (folder: string, life: number): Line[] => linesOf(textOf(join(folder, 'ledger', `${life}.jsonl`)));

const LETTERS_HEARD = Object.values(LETTERS).filter((letter) => letter !== '');
/** Lines that every turn has; the others are looked for by their first appearance. */
const FREQUENT = 'WwABab';

/** Every kind of line is met, from inside and from outside, and moments that have nothing to do with any. */
function momentOf(seed: string, life: number): Moment {
  const chance = chanceOf('moment', seed, life);
  const drawn = chance();
  if (drawn < 0.15) return { by: 'time', ms: between(chance, 20, 200) };
  const letter = chance() < 0.5 ? oneOf(chance, FREQUENT.split('')) : oneOf(chance, [...LETTERS_HEARD, 'S', 's', 's']);
  return { by: drawn < 0.6 ? 'line' : 'itself', letter, nth: between(chance, 1, FREQUENT.includes(letter) ? 12 : 2), most: between(chance, 20, 80) };
}

interface End { ending: 'killed' | 'done' | 'hangs' | 'broke'; complaint: string }

function ended(child: ChildProcess, moment: Moment, signal: AbortSignal): Promise<End> {
  return new Promise((resolve) => {
    let [letters, complaint, isHanging] = ['', '', false];
    const kill = () => void child.kill('SIGKILL');
    const hang = setTimeout(() => { isHanging = true; kill(); }, HANG_MS);
    const timed = moment.by === 'time' ? setTimeout(kill, moment.ms) : undefined;
    signal.addEventListener('abort', kill, { once: true });
    child.stderr!.on('data', (chunk: Buffer) => (complaint += String(chunk)));
    (child.stdio[3] as Readable).on('data', (chunk: Buffer) => { // the pipe for the letters, asked for above
      letters += String(chunk);
      if (moment.by !== 'time' && moment.by !== 'nobody' && isDue(letters, moment)) kill();
    });
    child.on('close', (code, by) => { // all that it wrote has been read
      clearTimeout(hang);
      clearTimeout(timed);
      signal.removeEventListener('abort', kill);
      resolve({ complaint, ending: isHanging ? 'hangs' : by === 'SIGKILL' ? 'killed' : code === 0 ? 'done' : 'broke' });
    });
  });
}

/** One that kills itself is only seen to when it does not come to it. */
const isDue = (letters: string, { by, letter, nth, most }: Extract<Moment, { most: number }>) => letters.length >= most || (by === 'line' && letters.split(letter).length > nth);
