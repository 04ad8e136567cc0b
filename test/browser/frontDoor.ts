/** An app that uses the front door: agents, a tool, an approval, a handoff, a stream. */
import { Agent, run, tool } from 'loopchart';
import { calls, says, scriptedModel } from 'loopchart/testing';

/** What the page is asked for. */
export async function outcome(): Promise<unknown> {
  const pay = tool({
    name: 'pay',
    description: 'Pays an amount.',
    parameters: { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'], additionalProperties: true },
    strict: false,
    needsApproval: true,
    execute: async (input) => `paid ${(input as { amount: number }).amount}`,
  });
  const cashier = new Agent({ name: 'Cashier', tools: [pay], model: scriptedModel(calls('pay', { amount: 3 }), says('Paid.')) });
  const desk = new Agent({ name: 'Desk', handoffs: [cashier], model: scriptedModel(calls('transfer_to_Cashier', {})) });
  const stopped = await run(desk, 'Pay 3.');
  const waiting = stopped.interruptions.map(({ name }) => name);
  stopped.state.approve(stopped.interruptions[0]!);
  const streamed = await run(desk, stopped.state, { stream: true });
  const events: string[] = [];
  for await (const event of streamed) events.push(event.type === 'run_item_stream_event' ? event.name : event.type);
  await streamed.completed;
  return { waiting, output: streamed.finalOutput, events: [...new Set(events)], saved: typeof streamed.state.toString() };
}
