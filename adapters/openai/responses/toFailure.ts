import { ModelBehaviorError, ModelError } from '../../../actors/errors.ts';
import { type FailedCall, MALFORMED_CODE, serverOf, withoutKeys } from '../failure.ts';
import { isRecord } from '../record.ts';
import type { WireResponse } from './wire.ts';

export { toFailure } from '../failure.ts';

/** Why a response is no answer; undefined when it is one. A server that states no status has answered. */
export function failureOf(response: WireResponse, call: FailedCall): Error | undefined {
  const { error, incomplete_details } = response;
  const status = response.status ?? (error ? 'failed' : 'completed');
  switch (status) {
    case 'completed':
      return undefined;
    case 'incomplete':
      return new ModelBehaviorError(incompleteMessage(incomplete_details?.reason, call));
    case 'failed': {
      const said = withoutKeys(error?.message ?? 'no reason given.', call.apiKey);
      return new ModelError(`${serverOf(call)} failed while it answered: ${said}`, { code: error?.code ?? 'server_error' });
    }
    case 'queued':
    case 'in_progress':
      return new ModelError('The response is still being made: background mode is not supported. Remove "background" from modelSettings.providerData.', { code: 'background' });
    default:
      return new ModelError(`${serverOf(call)} ended the response with status "${status}".`, { code: status });
  }
}

/** The answer is not what the API promises; wrong addresses often answer with a web page. */
export function malformed(answer: unknown, problem: string, call: FailedCall): Error {
  const shape = answer === undefined || isRecord(answer) ? problem : `expected a JSON object, got ${typeof answer}`;
  return new ModelError(`${serverOf(call)} sent an answer that is not of the Responses API (${shape}). Check that the base URL is right; it usually ends in /v1.`, { code: MALFORMED_CODE });
}

function incompleteMessage(reason: string | null | undefined, call: FailedCall): string {
  switch (reason) {
    case 'max_output_tokens':
      return `The answer of model "${call.model}" was cut off at its limit of tokens. Raise modelSettings.maxTokens, or ask for less.`;
    case 'content_filter':
      return `The provider's content filter cut off the answer of model "${call.model}".`;
    default:
      return `The answer of model "${call.model}" is incomplete${reason ? `: ${reason}` : ''}.`;
  }
}
