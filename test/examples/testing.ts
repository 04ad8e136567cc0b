import assert from 'node:assert/strict';
import { Agent, run, tool } from 'loopchart';
import { answered, asked, calls, fails, inputOf, normalise, says, scriptedModel } from 'loopchart/testing';
import { z } from 'zod';

const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `It is sunny in ${city}.`,
});
const model = scriptedModel(calls('weather', { city: 'Lisbon' }), says('No umbrella.'), fails({ status: 500 }));
const agent = new Agent({ name: 'Assistant', model, tools: [weather] });

const { finalOutput } = await run(agent, 'Umbrella?');
assert.equal(finalOutput, 'No umbrella.');

const [first, second] = model.requests.map((request) => normalise(request));
const conversation = inputOf('Umbrella?', asked('weather', { city: 'Lisbon' }, 'call_1'), answered('call_1', 'It is sunny in Lisbon.'));
assert.deepEqual(second, { ...first, input: conversation }); // the whole request, not a part of it

await assert.rejects(run(agent, 'And tomorrow?'), /status 500/);
model.assertDone();
