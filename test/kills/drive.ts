/** One world from its beginning until all of its runs are over, its processes killed on the way. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { MemoryJournal, checkReplay } from '../../index.ts';
import { type Evidence, type Expected, audit } from './audit.ts';
import { between, chanceOf, oneOf } from './chance.ts';
import { type Line, LETTERS, linesOf } from './ledger.ts';
import { live } from './life.ts';
import { type WorldPlan, worldPlan } from './plan.ts';
import { journalIn } from './store.ts';
import { deedsIn, memoryWorld, sessionItems, textOf } from './world.ts';

/**
 * When a process is to die: so long after its start, as soon as it is heard to have written a line for the nth time, or by its own hand
 * at that very line. One that writes few lines of the kind dies after so many of any kind.
 */
export type Moment = { by: 'time'; ms: number } | { by: 'line' | 'itself'; letter: string; nth: number; most: number } | { by: 'nobody' };
/** What a kill met; one may meet several. */
export type Region = 'start' | 'body' | 'model' | 'append' | 'session' | 'between';
export interface Death { moment: Moment; regions: Region[] }
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
  while (!signal.aborted && report.findings.length === 0 && over.size < plan.runs.length) {
    const moment = report.deaths.length < MOST_DEATHS && !isEnough() ? momentOf(seed, report.lives) : { by: 'nobody' as const };
    const told = moment.by === 'itself' ? [moment.letter, String(moment.nth)] : [];
    const child = spawn(process.execPath, [bundle, folder, String(report.lives), seed, [...over].join(','), ...told], { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    const { letters, ending, complaint } = await ended(child, moment, signal);
    for (const line of linesIn(folder, report.lives)) if (line.what === 'over') over.add(line.run);
    report.lives += 1;
    if (ending === 'killed') {
      report.deaths.push({ moment, regions: regionsOf(letters) });
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
    const entries = new Map(await Promise.all(plan.runs.map(async ({ runId }) => [runId, await journal.read(runId)] as const)));
    const evidence: Evidence = { plan, lives: Array.from({ length: lives }, (_, life) => linesIn(folder, life)), entries, deeds: deedsIn(folder), session: sessionItems(join(folder, 'sessions', 'conversation.jsonl')) };
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

/** The same runs, in this process, with nobody killed. */
export async function undisturbed(plan: WorldPlan): Promise<Expected> {
  const world = memoryWorld(plan.seed);
  const journal = new MemoryJournal();
  const outcomes = new Map<string, Extract<Line, { what: 'over' }>>();
  world.ledger.note = async (line) => void (line.what === 'over' && outcomes.set(line.run, line));
  while (outcomes.size < plan.runs.length) await live({ plan, world, journal, over: new Set(outcomes.keys()) });
  return { outcomes, session: await world.session('conversation').getItems() };
}

const linesIn = (folder: string, life: number): Line[] => linesOf(textOf(join(folder, 'ledger', `${life}.jsonl`)));

/** Lines that every turn has; the others are looked for by their first appearance. */
const FREQUENT = 'WwABab';

/** Every kind of line is met, from inside and from outside, and moments that have nothing to do with any. */
function momentOf(seed: string, life: number): Moment {
  const chance = chanceOf('moment', seed, life);
  const drawn = chance();
  if (drawn < 0.15) return { by: 'time', ms: between(chance, 20, 200) };
  const letter = chance() < 0.5 ? oneOf(chance, FREQUENT.split('')) : oneOf(chance, [...Object.values(LETTERS), 'S', 's', 's']);
  return { by: drawn < 0.6 ? 'line' : 'itself', letter, nth: between(chance, 1, FREQUENT.includes(letter) ? 12 : 2), most: between(chance, 20, 80) };
}

interface End { letters: string; ending: 'killed' | 'done' | 'hangs' | 'broke'; complaint: string }

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
      resolve({ letters, complaint, ending: isHanging ? 'hangs' : by === 'SIGKILL' ? 'killed' : code === 0 ? 'done' : 'broke' });
    });
  });
}

/** One that kills itself is only seen to when it does not come to it. */
const isDue = (letters: string, { by, letter, nth, most }: Extract<Moment, { most: number }>) => letters.length >= most || (by === 'line' && letters.split(letter).length > nth);

function regionsOf(letters: string): Region[] {
  const count = (letter: string) => letters.split(letter).length - 1;
  const regions: Region[] = [];
  if (letters === '') return ['start'];
  if (count('B') > count('b')) regions.push('body');
  if (count('A') > count('a') + count('x')) regions.push('model');
  if (count('W') > count('w')) regions.push('append');
  if (/[Ss][^w]*$/.test(letters)) regions.push('session');
  return regions.length > 0 ? regions : ['between'];
}
