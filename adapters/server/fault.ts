/** What is answered when a request cannot be carried out. The texts are those that clients of the protocol know. */
import type { RpcFault } from './shapes.ts';

export const CODE = {
  /** Not JSON at all. */
  parse: -32700,
  /** Also for unknown methods and missing fields, as in Codex. */
  invalidRequest: -32600,
  invalidParams: -32602,
  internal: -32603,
  overloaded: -32001,
} as const;

/** Trouble that the client can do something about. */
export class RequestFault extends Error {
  readonly code: number;
  readonly details: unknown;

  constructor(message: string, code: number = CODE.invalidRequest, details?: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export const OVERLOADED = 'Server overloaded; retry later.';

export const faultOf = (error: unknown): RpcFault => {
  if (error instanceof RequestFault) return { code: error.code, message: error.message, ...(error.details !== undefined && { data: error.details }) };
  return { code: CODE.internal, message: error instanceof Error ? error.message : String(error) };
};

export const threadNotFound = (threadId: string): RequestFault => new RequestFault(`thread not found: ${threadId}`);
export const turnNotFound = (turnId: string): RequestFault => new RequestFault(`turn not found: ${turnId}`);
export const submissionNotFound = (id: string): RequestFault => new RequestFault(`queued submission not found: ${id}`);
const NOT_STEERABLE = { codexErrorInfo: { activeTurnNotSteerable: { turnKind: 'compact' } } };
export const cannotSteerCompaction = (): RequestFault => new RequestFault('cannot steer a compact turn', CODE.invalidRequest, NOT_STEERABLE);
export const cannotStartWhileCompacting = (): RequestFault => new RequestFault('failed to submit turn input: ActiveTurnNotSteerable { turn_kind: Compact }', CODE.internal, NOT_STEERABLE);
