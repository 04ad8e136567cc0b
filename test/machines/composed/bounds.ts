/** How far walks go: as far as `LOOPCHART_EXPLORE` says, a number of states or `all`; without it, as far as is quick. */
export function mostStates(quick: number): number {
  const { LOOPCHART_EXPLORE: told } = process.env;
  if (told === undefined || told === '') return quick;
  const most = told === 'all' ? Infinity : Number(told);
  if (!(most > 0)) throw new Error(`LOOPCHART_EXPLORE is a number of states, or "all"; not "${told}".`);
  return most;
}
