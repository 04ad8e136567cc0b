import { Agent, InputGuardrailTripwireTriggered, type InputGuardrail, type OutputGuardrail, run } from 'loopchart';

const noCardNumbers: InputGuardrail = {
  name: 'no card numbers',
  runInParallel: false, // look before anything is sent; by default guardrails look while the model already answers
  execute: async ({ input }) => ({ tripwireTriggered: /\d{16}/.test(JSON.stringify(input)), outputInfo: 'a card number' }),
};
const noPromises: OutputGuardrail = {
  name: 'no promises',
  execute: async ({ agentOutput }) => ({ tripwireTriggered: agentOutput.includes('I promise'), outputInfo: 'a promise' }),
};
const agent = new Agent({ name: 'Support', inputGuardrails: [noCardNumbers], outputGuardrails: [noPromises] });

try {
  await run(agent, 'Charge 4242424242424242, please.');
} catch (error) {
  if (!(error instanceof InputGuardrailTripwireTriggered)) throw error;
  console.log(`Stopped by "${error.result.guardrail.name}": ${error.result.output.outputInfo}`);
}
