/** Plays a script as if nothing happened, and then with its process dying at one write after the other. All plays must bring the same. */
import { AgentsError } from 'loopchart';
import { expect } from 'vitest';
import { type Mode, type Player, type PlayOptions, type Played, plain, type World } from '../../scenarios/support/scenario.ts';
import { differences } from './difference.ts';
import { NOT_COMPARED, NOT_PLAYED } from './exceptions.ts';
import { type CrashPoint, Fate } from './fate.ts';
import { CrashStage } from './stage.ts';
import { withinReason } from './withinReason.ts';

/** What has been played. */
export interface Tally {
  scripts: Set<string>;
  /** With why they were not played. */
  notPlayed: Map<string, string>;
  points: number;
  /** Points at which only the ledger could be asked, by the reason. */
  doubts: Map<string, number>;
  /** Kinds of writes at which a process has died. */
  kinds: Set<string>;
}

type Script<Value> = (world: World) => Promise<Value>;
interface Point extends CrashPoint { kind: string; mode: Mode }

/** @param share every nth point only, beginning at another one in each script; an odd number meets both moments. */
export function everyCrash(share: number): { player: Player; tally: Tally } {
  const tally: Tally = { scripts: new Set(), notPlayed: new Map(), points: 0, doubts: new Map(), kinds: new Set() };
  let played = 0;
  const player: Player = async <Value>(script: Script<Value>, { only }: PlayOptions): Promise<Played<Value>> => {
    const name = expect.getState().currentTestName ?? '';
    const endings: Played<Value>[] = [];
    tally.scripts.add(name);
    for (const mode of only ? [only] : (['plain', 'streamed'] as const)) {
      const fate = new Fate();
      const stage = new CrashStage(mode, fate);
      const undisturbed = await stage.end(await script(stage));
      endings.push(undisturbed);
      const obstacle = stage.obstacle ?? NOT_PLAYED[name];
      if (obstacle) tally.notPlayed.set(name, obstacle);
      else expect(stage.problems).toEqual([]);
      if (!obstacle) for (const point of pointsOf(fate, mode).filter((_point, at) => (at + played) % share === 0)) await playCrashed(script, { point, undisturbed, name, tally });
      played += 1;
    }
    return endings[0]!;
  };
  return { player, tally };
}

const pointsOf = ({ writes }: Fate, mode: Mode): Point[] =>
  writes.flatMap((kind, at): Point[] => [{ write: at + 1, moment: 'before', kind, mode }, { write: at + 1, moment: 'after', kind, mode }]);

interface Crash { point: Point; undisturbed: Played<unknown>; name: string; tally: Tally }

async function playCrashed<Value>(script: Script<Value>, { point, undisturbed, name, tally }: Crash): Promise<void> {
  const stage = new CrashStage(point.mode, new Fate(point));
  const where = `${point.mode}, the process dies ${point.moment} write ${point.write} (${point.kind})`;
  tally.points += 1;
  for (const kind of point.kind.split(' + ')) tally.kinds.add(`${point.moment} ${kind.replace(/ .*/, '')}`);
  const ending = await withinReason(stage, script(stage).then((value) => stage.end(value))).catch((error: unknown) => ({ error }));
  expect(stage.problems, where).toEqual([]);
  const doubt = stage.doubt ?? NOT_COMPARED[name];
  if (doubt !== undefined) return void tally.doubts.set(doubt, (tally.doubts.get(doubt) ?? 0) + 1);
  if ('error' in ending) throw new Error(`${where}: the script itself fails`, { cause: ending.error });
  expect(stage.changedRequests, where).toEqual([]);
  expect(differences(comparable(ending, undisturbed), comparable(undisturbed, undisturbed)), where).toEqual([]);
}

/** Errors of the app's own classes live as long as their process; ours are made again from the journal. */
function comparable({ runs, requests, sessions }: Played<unknown>, undisturbed: Played<unknown>): unknown {
  const compared = runs.map((run, at) => (run.error && !(undisturbed.runs[at]?.thrown instanceof AgentsError) ? { ...run, error: run.error.message } : run));
  return plain({ runs: compared, requests, sessions });
}
