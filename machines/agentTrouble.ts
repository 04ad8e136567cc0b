/** Why an activation ends without an answer, as failures. */
import type { AgentContext } from './agentMemory.ts';
import type { OutputVerdict } from './agentLeaves.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { ErrorKind, TurnOutcome } from './protocol/outcome.ts';

/** The third response in a row without text, refusal or call ends the run (A5). */
export const EMPTY_RESPONSES_MAX = 3;

export function stuck(): Failure {
  return { code: 'stuck.empty', message: `The model answered ${EMPTY_RESPONSES_MAX} times in a row without text, refusal or call.` };
}

export function kindOf({ last }: AgentContext): ErrorKind {
  if (last?.next === 'refusal') return 'modelRefusal';
  return last?.next === 'invalid' ? 'invalidFinalOutput' : 'maxTurns';
}

export function troubleOf({ context }: { context: AgentContext }): Failure {
  const response = context.last?.response;
  switch (kindOf(context)) {
    case 'modelRefusal':
      return { code: 'modelRefusal', message: `The model refused: ${response?.refusal ?? ''}`, detail: { refusal: response?.refusal } };
    case 'invalidFinalOutput':
      return { code: 'invalidFinalOutput', message: invalidText(response) };
    case 'maxTurns':
      return { code: 'maxTurns', message: `Max turns (${context.maxTurns}) exceeded`, detail: { maxTurns: context.maxTurns } };
  }
}

function invalidText(response: TurnOutcome['response'] | undefined): string {
  return response?.final && 'invalid' in response.final ? response.final.invalid : 'Invalid output type';
}

export function failureOf({ event }: { event: { output: EffectOutcome<unknown> } }): Failure {
  if (event.output.status !== 'error') throw new Error('An effect that succeeded has no failure.');
  return event.output.failure;
}

export function tripOf({ event }: { event: { output: OutputVerdict } }): Failure {
  if (event.output.status !== 'ok' || !event.output.value.failure) throw new Error('No output guardrail tripped.');
  return event.output.value.failure;
}
