import { Agent, handoff, run } from 'loopchart';
import { z } from 'zod';

const billing = new Agent({ name: 'Billing', instructions: 'Answer questions about invoices.' });
const shipping = new Agent({ name: 'Shipping', outputType: z.object({ parcel: z.string(), days: z.number() }) });
const triage = Agent.create({
  name: 'Triage',
  instructions: 'Hand off to the colleague who can help.',
  handoffs: [
    billing,
    handoff(shipping, { inputType: z.object({ reason: z.string() }), onHandoff: (_context, input) => console.log(`Why: ${input?.reason}`) }),
  ],
});

const result = await run(triage, 'Where is parcel A1?');
console.log(result.lastAgent?.name, result.finalOutput); // typed: string | { parcel: string; days: number } | undefined
