/** Tools and guards that many scenarios share, so that a script shows only what it is about. */
import { type FunctionTool, type QuestionSpec, questionTool, tool } from 'loopchart';
import { z } from 'zod';

export const add = tool({
  name: 'add',
  description: 'Adds two numbers.',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
});

/** A tool without arguments; counts its runs. */
export interface Counted { tool: FunctionTool<any, any, any>; runs: number }

/** @param answer what the body returns, or a body. */
export function counted(name: string, answer: unknown = 'done', options: { needsApproval?: boolean } = {}): Counted {
  const made: Counted = {
    runs: 0,
    tool: tool({
      name,
      description: `Does ${name}.`,
      parameters: z.object({}),
      ...options,
      execute: () => {
        made.runs += 1;
        return typeof answer === 'function' ? answer() : answer;
      },
    }),
  };
  return made;
}

/** A tool that waits for a person. */
export const refund = tool({
  name: 'refund',
  description: 'Pays money back.',
  parameters: z.object({ order: z.number() }),
  needsApproval: true,
  execute: ({ order }) => `refunded ${order}`,
});

/** What the model reads of a call that was cut short and is harmful to repeat (C8). */
export const MAY_HAVE_COMPLETED = 'It may have completed; do not repeat it without checking.';

/** A promise that a script settles when its moment has come. */
export function latch<Value = void>(): { promise: Promise<Value>; open: (value: Value) => void } {
  let open!: (value: Value) => void;
  const promise = new Promise<Value>((resolve) => (open = resolve));
  return { promise, open };
}

/** A tool that asks the person where to sit, how much they carry, and more where that is wanted. */
export const seatTool = (...more: QuestionSpec[]) => questionTool({
  name: 'choose_seat',
  description: 'Lets the passenger choose a seat.',
  parameters: z.object({ free: z.array(z.string()) }),
  questions: ({ free }) => [{ id: 'seat', text: 'Which seat?', options: free }, { id: 'bags', text: 'How many bags?', schema: z.number().int().min(0) }, ...more],
});
