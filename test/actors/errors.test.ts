import { inspect } from 'node:util';
import * as peer from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import * as errors from '../../actors/errors.ts';
import { RunContext } from '../../actors/runContext.ts';
import type { RunState } from '../../actors/runState.ts';

const state = { secret: 'the whole run' } as unknown as RunState<any, Agent<any, any>>;
const cause = new Error('the reason');
const inputResult = { guardrail: { type: 'input', name: 'g' }, output: { tripwireTriggered: true, outputInfo: 'why' } } as const;
const toolInputResult = { guardrail: { type: 'tool_input', name: 'g' }, output: { behavior: { type: 'throwException' } } } as const;
const toolOutputResult = { guardrail: { type: 'tool_output', name: 'g' }, output: { behavior: { type: 'throwException' } } } as const;
const outputResult = {
  guardrail: { type: 'output', name: 'g' } as const,
  agentOutput: 'withheld words',
  agent: new Agent({ name: 'A' }),
  output: { tripwireTriggered: true, outputInfo: 'why' },
};

const instances: Record<string, errors.AgentsError> = {
  SystemError: new errors.SystemError('m', state),
  MaxTurnsExceededError: new errors.MaxTurnsExceededError('m', state),
  ModelRefusalError: new errors.ModelRefusalError('no', state),
  ModelBehaviorError: new errors.ModelBehaviorError('m', state),
  ModelTimeoutError: new errors.ModelTimeoutError({ timeoutMs: 5, cause }),
  InvalidToolInputError: new errors.InvalidToolInputError('m', state, cause, { input: '{', runContext: new RunContext() }),
  UserError: new errors.UserError('m', state),
  StaleStateError: new errors.StaleStateError('m', state),
  InvalidToolOutputError: new errors.InvalidToolOutputError('m', state, cause, { output: 7, runContext: new RunContext() }),
  GuardrailExecutionError: new errors.GuardrailExecutionError('m', cause, state),
  ToolCallError: new errors.ToolCallError('m', cause, state),
  ToolTimeoutError: new errors.ToolTimeoutError({ toolName: 'slow', timeoutMs: 5, state }),
  InputGuardrailTripwireTriggered: new errors.InputGuardrailTripwireTriggered('m', inputResult, state),
  OutputGuardrailTripwireTriggered: new errors.OutputGuardrailTripwireTriggered('m', outputResult, state),
  ToolInputGuardrailTripwireTriggered: new errors.ToolInputGuardrailTripwireTriggered('m', toolInputResult, state),
  ToolOutputGuardrailTripwireTriggered: new errors.ToolOutputGuardrailTripwireTriggered('m', toolOutputResult, state),
  AbortError: new errors.RunInterruptedError(undefined, state),
  ModelError: new errors.ModelError('m', { code: '503', cause, state }),
};

describe('errors', () => {
  test.each(Object.entries(instances))('%s has its name, and only from its class', (name, error) => {
    expect(error).toBeInstanceOf(errors.AgentsError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(Object.keys(error)).not.toContain('name');
    expect(String(error)).toBe(`${name}: ${error.message}`);
  });

  test('every error class is tried above', () => {
    const tried = new Set(Object.values(instances).map((error) => error.constructor));
    const classes = Object.values(errors).filter((exported) => exported !== errors.AgentsError);
    expect(classes.filter((exported) => !tried.has(exported))).toEqual([]);
  });

  test('every error class of the peer is here', () => {
    const theirs = Object.entries(peer).filter(([, value]) => typeof value === 'function' && value.prototype instanceof peer.AgentsError);
    expect(theirs.length).toBeGreaterThan(12);
    expect(theirs.map(([name]) => name).filter((name) => !(name in errors))).toEqual([]);
  });

  test.each(Object.entries(instances).filter(([name]) => name !== 'ModelTimeoutError'))('K3: %s carries the state and does not print it', (_name, error) => {
    expect(error.state).toBe(state);
    expect(inspect(error)).not.toContain('the whole run');
    expect(JSON.stringify(error)).not.toContain('the whole run');
  });

  test('K3: the state can be attached after the error was made, still unprinted', () => {
    const error = new errors.ModelTimeoutError({ timeoutMs: 5 });
    expect(error.state).toBeUndefined();
    error.state = state;
    expect(error.state).toBe(state);
    expect(inspect(error)).not.toContain('the whole run');
  });

  test('E3: printing an output tripwire does not print what it withheld', () => {
    const error = new errors.OutputGuardrailTripwireTriggered('m', outputResult);
    expect(error.result.agentOutput).toBe('withheld words');
    expect(inspect(error, { depth: 9 })).not.toContain('withheld words');
  });

  test('tool errors keep the call they are about, unprinted', () => {
    const runContext = new RunContext({ token: 'hidden' });
    const input = new errors.InvalidToolInputError('m', undefined, cause, { runContext, input: '{' });
    const output = new errors.InvalidToolOutputError('m', undefined, cause, { runContext, output: 7 });
    expect(input).toMatchObject({ originalError: cause, toolInvocation: { runContext, input: '{' } });
    expect(output).toMatchObject({ originalError: cause, toolOutput: { runContext, output: 7 } });
    expect(inspect([input, output], { depth: 9 })).not.toContain('hidden');
  });

  test('wrappers give what they wrap as error and as cause', () => {
    expect(new errors.ToolCallError('m', cause)).toMatchObject({ error: cause, cause });
    expect(new errors.GuardrailExecutionError('m', cause)).toMatchObject({ error: cause, cause });
  });

  test('K3: a model error keeps the provider\'s error and a code for programs', () => {
    expect(instances.ModelError).toMatchObject({ code: '503', cause, state });
    expect('cause' in new errors.ModelError('m', { code: 'x' })).toBe(false);
  });

  test('P1: an interruption is an AbortError and keeps the reason as cause', () => {
    const error = new errors.RunInterruptedError('stopped by hand', state, { cause });
    expect(error).toMatchObject({ name: 'AbortError', message: 'stopped by hand', state, cause });
  });

  test('messages and fields that callers match on are those of the peer', () => {
    const pairs: [errors.AgentsError, peer.AgentsError][] = [
      [new errors.ModelRefusalError('no'), new peer.ModelRefusalError('no')],
      [new errors.ModelTimeoutError({ timeoutMs: 5, cause }), new peer.ModelTimeoutError({ timeoutMs: 5, cause })],
      [new errors.ToolTimeoutError({ toolName: 'slow', timeoutMs: 5 }), new peer.ToolTimeoutError({ toolName: 'slow', timeoutMs: 5 })],
    ];
    for (const [ours, theirs] of pairs) {
      const { state: _state, ...fields } = theirs;
      expect(ours).toMatchObject({ ...fields, message: theirs.message });
    }
  });
});
