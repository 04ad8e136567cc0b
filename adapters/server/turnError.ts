/** Why a turn failed, in the words of the protocol. */
import type { Failure } from '../../machines/protocol/failure.ts';
import type { ErrorInfo, TurnError } from './shapes.ts';

export function turnErrorOf(failure: Failure | undefined): TurnError {
  if (!failure) return { message: 'The run failed.', codexErrorInfo: 'other', additionalDetails: null, misalignment: null };
  const { message, code, error } = failure;
  const details = error && error.message !== message ? `${error.name}: ${error.message}` : null;
  return { message, codexErrorInfo: infoOf(code, error?.status), additionalDetails: details ?? `code: ${code}`, misalignment: null };
}

/** @param code of a failure; read as text, because the kinds of failure are more than this protocol tells apart. */
function infoOf(code: string, status: number | undefined): ErrorInfo {
  if (code === 'contextWindow') return 'contextWindowExceeded';
  if (code.startsWith('budget.')) return 'sessionBudgetExceeded';
  if (code === 'modelTimeout') return { responseStreamDisconnected: { httpStatusCode: status ?? null } };
  if (code !== 'model') return 'other';
  switch (status) {
    case 401:
    case 403:
      return 'unauthorized';
    case 400:
    case 422:
      return 'badRequest';
    case 429:
      return 'rateLimitExceeded';
    case 503:
    case 529:
      return 'serverOverloaded';
    default:
      return status === undefined ? { responseStreamDisconnected: { httpStatusCode: null } } : status >= 500 ? 'internalServerError' : 'other';
  }
}
