import { ModelBehaviorError, ModelError } from '../../../actors/errors.ts';
import { type FailedCall, MALFORMED_CODE, serverOf, withoutKeys } from '../failure.ts';
import { isRecord } from '../record.ts';

export { toFailure } from '../failure.ts';

/** The server's complaint, sent as if it were an answer. */
export function complaint({ message, code }: { message: string; code?: string }, call: FailedCall): Error {
  return new ModelError(`${serverOf(call)} failed while it answered: ${withoutKeys(message, call.apiKey)}`, { code: code ?? 'server_error' });
}

/** The answer is not what the API promises; wrong addresses often answer with a web page. */
export function malformed(answer: unknown, problem: string, call: FailedCall): Error {
  const shape = answer === undefined || isRecord(answer) ? problem : `expected a JSON object, got ${typeof answer}`;
  return new ModelError(`${serverOf(call)} sent an answer that is not of Chat Completions (${shape}). Check that the base URL is right; it usually ends in /v1.`, { code: MALFORMED_CODE });
}

/** All tokens allowed went into thinking: sampling the same request again would end the same way. */
export function cutOff(call: FailedCall): Error {
  return new ModelBehaviorError(`Model "${call.model}" used up its limit of tokens before it said anything. Raise modelSettings.maxTokens, or lower the reasoning effort.`);
}
