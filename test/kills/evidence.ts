/** All that is known of a world in which nobody was killed, for those who want to spoil some of it. */
import { MemoryJournal } from '../../index.ts';
import type { Evidence } from './audit.ts';
import { isOver, recordedIn } from './drive.ts';
import { type Line, overBy } from './ledger.ts';
import { live } from './life.ts';
import type { WorldPlan } from './plan.ts';
import { watched } from './watched.ts';
import { memoryWorld } from './world.ts';

export async function evidenceOf(plan: WorldPlan): Promise<Evidence> {
  const world = memoryWorld(plan.seed);
  const lives: Line[][] = [];
  const over = new Set<string>();
  const journal = new MemoryJournal();
  world.ledger.note = async (line) => {
    lives.at(-1)!.push(line);
    for (const one of overBy(line)) over.add(one);
  };
  while (!isOver(plan, over)) {
    lives.push([]);
    await live({ plan, world, journal: watched(journal, world.ledger), over });
  }
  return { plan, lives, ...(await recordedIn(journal, plan)), deeds: world.deeds(), session: await world.session('conversation').getItems() };
}

/** A line of a kind of which every plan has some. */
export function lineOf<What extends Line['what']>({ lives }: Evidence, what: What, isIt: (line: Line & { what: What }) => boolean = () => true) {
  return lives.flat().find((line): line is Line & { what: What } => line.what === what && isIt(line as Line & { what: What }))!; // looked at just before
}

/** Another process comes, and this is all that it does. */
export const later = (evidence: Evidence, ...lines: Line[]): Evidence => ({ ...evidence, lives: [...evidence.lives, lines] });
export const withLines = (evidence: Evidence, change: (line: Line) => Line[]): Evidence => ({ ...evidence, lives: evidence.lives.map((lines) => lines.flatMap(change)) });
export const without = (evidence: Evidence, gone: Line): Evidence => withLines(evidence, (line) => (line === gone ? [] : [line]));

/** Entries that are gone leave their places empty, so that all others keep theirs. */
export function shortened(evidence: Evidence, keeps: (entry: { type: string }) => boolean): Evidence {
  const gone = { type: 'effect.late', id: '', outcome: { status: 'lost' }, at: 0 } as const;
  return { ...evidence, entries: new Map([...evidence.entries].map(([id, list]) => [id, list.map((entry) => (keeps(entry) ? entry : gone))])) };
}
