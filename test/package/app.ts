/** A small app, as somebody who installed the package would write it. */

/** The entries of the package by the name under which an app imports them. */
export const entriesOf = ({ name, exports }: { name: string; exports: object }): string[] => Object.keys(exports).map((path) => name + path.slice(1));

/** How apps compile theirs: with Node's own resolution, and for a bundler. */
export const tsconfigs = {
  node: { target: 'es2023', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] },
  bundler: { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['es2023', 'dom', 'dom.iterable'] },
};

export const appSource = `
import { Agent, run, tool, type RunResult } from 'loopchart';
import { runMachine } from 'loopchart/machines';
import { says, scriptedModel } from 'loopchart/testing';
import { toMermaid, chartOf } from 'loopchart/visualizations';
import { z } from 'zod';

const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => String(a + b) });
const agent = new Agent({ name: 'A', outputType: z.object({ sum: z.number() }), tools: [add], model: scriptedModel(says('{"sum":3}')) });
const result: RunResult<undefined, typeof agent> = await run(agent, 'What is 1 + 2?');
const sum: number | undefined = result.finalOutput?.sum;
// @ts-expect-error The output has no such field.
result.finalOutput?.product;
const mermaid: string = toMermaid(chartOf(runMachine));
export { mermaid, sum };
`;
