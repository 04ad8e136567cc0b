/** The run that was meant: by its whole id, or by a beginning that no other run has. */
import type { RunSummary } from '../../../actors/journal.ts';
import { CliError } from '../exit.ts';
import type { OpenedJournal } from './place.ts';
import { stateText } from './runTable.ts';

/** Nothing is no beginning: a variable that a shell does not know must not name the only run. @throws CliError when there is none, or more than one. JournalDamage when what is there cannot be read. */
export async function findRun({ journal, where, damaged, option }: OpenedJournal, given: string): Promise<RunSummary> {
  const runs = await journal.list();
  const exact = runs.find(({ runId }) => runId === given);
  if (exact) return exact;
  const ids = [...new Set([...runs.map(({ runId }) => runId), ...damaged.keys()])].filter((runId) => given !== '' && runId.startsWith(given));
  const meant = damaged.has(given) ? given : ids[0];
  if (meant === undefined) throw new CliError(`There is no run "${given}" in ${where}. See which there are: loopchart runs${option}`);
  if (ids.length > 1 && meant !== given) throw new CliError(`"${given}" is the beginning of ${ids.length} runs; give more of the one you mean:\n${listed(ids, runs)}`);
  const damage = damaged.get(meant);
  if (damage) throw damage;
  return runs.find(({ runId }) => runId === meant)!; // what is not damaged was listed
}

const SHOWN = 10;

function listed(ids: readonly string[], runs: readonly RunSummary[]): string {
  const lines = ids.slice(-SHOWN).map((id) => {
    const run = runs.find(({ runId }) => runId === id);
    return `  ${id}  ${run ? `${run.agent}, ${stateText(run)}` : 'damaged'}`;
  });
  return [...(ids.length > SHOWN ? [`  (${ids.length - SHOWN} older ones)`] : []), ...lines].join('\n');
}
