/** Walks the composed charts in a plain process, where XState's production build is loaded, and prints what it found as JSON. */
import { pathToFileURL } from 'node:url';
import { nestedDesk, supportDesk } from './scenarios.ts';
import { type ComposedWalk, walkComposed } from './walk.ts';

export type Found = Omit<ComposedWalk, 'ms'>;

/** The same walks in whatever build this process has. */
export async function findAll(): Promise<Record<string, Found>> {
  const found: Record<string, Found> = {};
  for (const scenario of [nestedDesk('nested'), supportDesk('failing', { parallel: [], fails: ['model', 'execute'] })]) {
    const { ms: _, ...walk } = await walkComposed(scenario);
    found[scenario.name] = walk;
  }
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(JSON.stringify({ build: import.meta.resolve('xstate'), found: await findAll() }));
