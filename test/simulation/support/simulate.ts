/** One seed, from its world to the verdict. */
import { planOf } from './plan.ts';
import { comparisonOf, complaintsAbout } from './verdict.ts';
import { Voyage } from './voyage.ts';

export interface Verdict { seed: number; complaints: string[]; isCalm: boolean; log: readonly string[]; blows: string[]; endings: string[] }

export async function simulate(seed: number): Promise<Verdict> {
  const plan = planOf(seed);
  const voyage = new Voyage(plan, true);
  await voyage.sail();
  const complaints = await complaintsAbout(voyage);
  if (plan.isCalm) {
    const undisturbed = new Voyage(plan, false);
    await undisturbed.sail();
    complaints.push(...(await complaintsAbout(undisturbed)), ...(await comparisonOf(voyage, undisturbed)));
  }
  const endings = voyage.endings.map(({ outcome, error }) => outcome?.status ?? String(error));
  return { seed, complaints, isCalm: plan.isCalm, log: voyage.log, blows: blowsIn(voyage.log), endings };
}

/** Of which kinds, in their order. */
export const blowsIn = (log: readonly string[]): string[] => log.flatMap((line) => / — (\w+)$/.exec(line)?.[1] ?? []);
