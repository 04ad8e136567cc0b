/** From a failure, which is data, to the error that an app catches. */
import type { Failure } from '../machines/protocol/failure.ts';
import {
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelError,
  ModelRefusalError,
  ModelTimeoutError,
  OutputGuardrailTripwireTriggered,
  ToolCallError,
  ToolTimeoutError,
  UserError,
} from './errors.ts';
import { errorFrom } from './errorRecord.ts';
import { BudgetExceededError, CompactionError, ContextWindowError } from './limitErrors.ts';
import type { RunScope } from './scope.ts';

/**
 * The error itself while the process lives in which it happened (K4); made again from its record in any other.
 */
export function errorOf(scope: Pick<RunScope, 'causeOf' | 'agent'>, failure: Failure): Error {
  const cause = scope.causeOf(failure.effectId);
  if (cause instanceof Error) return cause;
  return made(scope, failure, failure.error ? errorFrom(failure.error) : undefined);
}

function made(scope: Pick<RunScope, 'agent'>, { code, message, detail }: Failure, cause: Error | undefined): Error {
  const name = String(detail?.['name'] ?? '');
  const output = { tripwireTriggered: true, outputInfo: detail?.['outputInfo'] };
  switch (code) {
    case 'maxTurns':
      return new MaxTurnsExceededError(message);
    case 'modelRefusal':
      return new ModelRefusalError(String(detail?.['refusal'] ?? ''));
    case 'invalidFinalOutput':
    case 'modelBehavior':
    case 'stuck.empty':
    case 'stuck.repetition':
    case 'stuck.failing':
    case 'stuck.monologue':
    case 'stuck.alternating':
      return new ModelBehaviorError(message);
    case 'inputGuardrail':
      return new InputGuardrailTripwireTriggered(message, { guardrail: { type: 'input', name }, output });
    case 'outputGuardrail':
      return new OutputGuardrailTripwireTriggered(message, { guardrail: { type: 'output', name }, agentOutput: undefined as never, agent: scope.agent(String(detail?.['agent'])), output }); // the output stays withheld
    case 'guardrailExecution':
      return new GuardrailExecutionError(message, cause ?? new Error(message));
    case 'toolCall':
      if (detail?.['timeoutMs'] !== undefined) return new ToolTimeoutError({ toolName: String(detail['tool']), timeoutMs: Number(detail['timeoutMs']) });
      return new ToolCallError(message, cause ?? new Error(message));
    case 'modelTimeout':
      return new ModelTimeoutError({ timeoutMs: Number(detail?.['timeoutMs'] ?? 0), cause });
    case 'model':
      return new ModelError(message, { code: String(cause && 'code' in cause ? cause.code : 'model'), cause });
    case 'contextWindow':
      return new ContextWindowError(message, { cause: cause?.cause ?? cause });
    case 'compaction':
      return new CompactionError(message, { cause: cause?.cause ?? cause });
    case 'budget.tokens':
    case 'budget.cost':
    case 'budget.time':
      return new BudgetExceededError(detail as unknown as ConstructorParameters<typeof BudgetExceededError>[0]); // as written where it was met
    case 'session':
    case 'user':
      return cause ?? new UserError(message);
  }
}
