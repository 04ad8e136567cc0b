import { afterEach } from 'vitest';
import { createActor, type Actor } from 'xstate';
import { statelyInspector, type StatelyInspector, type StatelyInspectorOptions } from '../../../adapters/inspector/index.ts';
import { runMachine, SECRETS } from './charts.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Closed after the test, last opened first. */
export function closing<Closable extends { close(): unknown }>(one: Closable): Closable {
  open.push(one);
  return one;
}

export async function inspecting(options?: StatelyInspectorOptions): Promise<StatelyInspector> {
  return closing(await statelyInspector(options));
}

export function startRun({ inspect }: Pick<StatelyInspector, 'inspect'>, calls = 0): Actor<typeof runMachine> {
  const actor = createActor(runMachine, { input: { prompt: SECRETS.initial, calls }, inspect, id: 'run' });
  closing({ close: () => actor.stop() });
  return actor.start();
}
