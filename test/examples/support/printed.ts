/** Runs an example the way a reader would: with a default model and a console, and nothing else. */
import { format } from 'node:util';
import { setDefaultModelProvider } from 'loopchart';
import { scriptedModel, type SingleStep } from 'loopchart/testing';

/** What the example prints, line by line, when its models say what the script says. Every step must be used. */
export async function printed(example: () => Promise<unknown>, script: readonly SingleStep[] = []): Promise<string[]> {
  const model = scriptedModel(...script);
  setDefaultModelProvider({ getModel: () => model });
  const lines = await linesOf(example);
  model.assertDone();
  return lines;
}

/** An example talks to the console, which is all there is to see of it. */
async function linesOf(example: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => void lines.push(format(...values));
  try {
    await example();
  } finally {
    console.log = log;
  }
  return lines;
}
