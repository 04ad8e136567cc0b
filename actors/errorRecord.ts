import type { ErrorRecord } from '../machines/protocol/failure.ts';

/** What of an error goes into a journal: enough to explain it, nothing that may hold a secret. */
export function errorRecordOf(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) return { name: 'Error', message: describe(error) };
  const { code, status } = error as { code?: unknown; status?: unknown }; // providers and node add these to plain errors
  const record: ErrorRecord = { name: error.name, message: error.message };
  if (typeof code === 'string' || typeof code === 'number') record.code = code;
  if (typeof status === 'number') record.status = status;
  if (error.cause instanceof Error && error.cause !== error) record.cause = errorRecordOf(error.cause);
  return record;
}

/** An error again from what a journal kept of it. */
export function errorFrom(record: ErrorRecord): Error {
  const error = new Error(record.message, record.cause ? { cause: errorFrom(record.cause) } : undefined);
  error.name = record.name;
  if (record.code !== undefined) Object.assign(error, { code: record.code });
  if (record.status !== undefined) Object.assign(error, { status: record.status });
  return error;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : describe(error));

function describe(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
