import { Agent as PeerAgent, handoff as peerHandoff } from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Agent } from '../../actors/agent.ts';
import { ModelBehaviorError, UserError } from '../../actors/errors.ts';
import { Handoff, getHandoff, getTransferMessage, handoff, type HandoffInputData, type HandoffInputFilter } from '../../actors/handoff.ts';
import { RunContext } from '../../actors/runContext.ts';

const context = new RunContext();
const billing = new Agent({ name: 'Billing Agent', handoffDescription: 'Money matters.' });
const reason = z.object({ reason: z.string() });

describe('handoff()', () => {
  test('looks to the model as the peer\'s does', () => {
    const theirs = peerHandoff(new PeerAgent({ name: 'Billing Agent', handoffDescription: 'Money matters.' }));
    expect(handoff(billing).getHandoffAsFunctionTool()).toEqual(theirs.getHandoffAsFunctionTool());
    const withInput = peerHandoff(new PeerAgent({ name: 'B' }), { inputType: reason, onHandoff: () => {}, toolNameOverride: 'escalate', toolDescriptionOverride: 'Escalates.' });
    const ours = handoff(new Agent({ name: 'B' }), { inputType: reason, onHandoff: () => {}, toolNameOverride: 'escalate', toolDescriptionOverride: 'Escalates.' });
    expect(ours.getHandoffAsFunctionTool()).toEqual(withInput.getHandoffAsFunctionTool());
    expect(getTransferMessage(billing)).toBe('{"assistant":"Billing Agent"}');
  });

  test('F2: validates the input, then runs onHandoff, then names the next agent', async () => {
    const seen: unknown[] = [];
    const made = handoff(billing, { inputType: reason, onHandoff: async (given, input) => void seen.push([given, input]) });
    expect(await made.onInvokeHandoff(context, '{"reason":"refund"}')).toBe(billing);
    expect(seen).toEqual([[context, { reason: 'refund' }]]);
  });

  test('F2: runs onHandoff without input for a handoff that takes none, whatever the model wrote', async () => {
    const seen: unknown[] = [];
    const made = handoff(billing, { onHandoff: (_context, input) => void seen.push(input) });
    expect(await made.onInvokeHandoff(context, '{not json')).toBe(billing);
    expect(seen).toEqual([undefined]);
  });

  test.each([['', 'needs input'], ['{', 'is not JSON'], ['{"reason":1}', 'does not fit its schema: reason:']])('F2: input %j is the model\'s mistake, and onHandoff does not run', async (args, message) => {
    let ran = false;
    const made = handoff(billing, { inputType: reason, onHandoff: () => { ran = true; } });
    const failure: unknown = await Promise.resolve(made.onInvokeHandoff(context, args)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelBehaviorError);
    expect(failure).toMatchObject({ message: expect.stringContaining(message) });
    expect(ran).toBe(false);
  });

  test('an onHandoff that throws fails with its own error', async () => {
    const made = handoff(billing, { onHandoff: () => { throw new Error('not now'); } });
    await expect(made.onInvokeHandoff(context, '')).rejects.toThrow('not now');
  });

  test('refuses input that nobody reads, and a schema that cannot be sent', () => {
    expect(() => handoff(billing, { inputType: reason })).toThrow(UserError);
    expect(() => handoff(billing, { inputType: z.object({ at: z.date() }), onHandoff: () => {} })).toThrow("the handoff to 'Billing Agent' cannot be used at `at`");
  });

  test('is offered always, by a constant, or as a function says', async () => {
    const args = { runContext: context, agent: billing };
    const asked: unknown[] = [];
    const made = [handoff(billing), handoff(billing, { isEnabled: false }), handoff(billing, { isEnabled: (given) => { asked.push(given); return true; } })];
    expect(await Promise.all(made.map((candidate) => candidate.isEnabled(args)))).toEqual([true, false, true]);
    expect(asked).toEqual([args]);
  });
});

describe('Handoff.clone', () => {
  const inputFilter: HandoffInputFilter = async (data) => data;
  const original = handoff(billing, { inputFilter, nestHandoffHistory: true, isEnabled: false, inputType: reason, onHandoff: () => {} });

  test('keeps everything that is not overridden', () => {
    const { onInvokeHandoff: _invoke, ...fields } = original;
    expect(original.clone()).toMatchObject(fields);
    expect(original.clone()).not.toBe(original);
    expect(original.clone()).toBeInstanceOf(Handoff);
  });

  test('to another agent still validates and calls back, under the same tool', async () => {
    const seen: unknown[] = [];
    const other = new Agent({ name: 'Other' });
    const cloned = handoff(billing, { inputType: reason, onHandoff: (_context, input) => void seen.push(input) }).clone({ agent: other });
    expect(await cloned.onInvokeHandoff(context, '{"reason":"x"}')).toBe(other);
    expect(seen).toEqual([{ reason: 'x' }]);
    expect(cloned).toMatchObject({ agent: other, agentName: 'Other', toolName: 'transfer_to_Billing_Agent' });
  });

  test('takes every override', async () => {
    const other = new Agent({ name: 'Other' });
    const overrides = {
      agent: other, agentName: 'Someone', toolName: 'go', toolDescription: 'Goes.', strictJsonSchema: false, inputFilter: (data: HandoffInputData) => data, nestHandoffHistory: false,
      inputJsonSchema: { type: 'object' as const, properties: { a: {} }, required: [], additionalProperties: false as const }, isEnabled: async () => true, onInvokeHandoff: async () => billing,
    };
    expect(original.clone(overrides)).toMatchObject(overrides);
  });
});

test('getHandoff makes one of an agent and returns one that is there', () => {
  const made = getHandoff(billing);
  expect(made).toMatchObject({ agent: billing, toolName: 'transfer_to_Billing_Agent' });
  expect(getHandoff(made)).toBe(made);
});
