/** What goes wrong between a journal and its PostgreSQL, told with its cause and what to do about it. */
import { JournalStoreError } from './storeError.ts';

/** Where a server is and as whom it is spoken to. The password is never among it. */
export interface PostgresAddress { host: string; port: number; database: string | undefined; user: string | undefined }

/** The error of `pg` in words for the person who has to repair it. */
export function explained(error: unknown, at: PostgresAddress): JournalStoreError {
  if (error instanceof JournalStoreError) return error;
  const code = codeOf(error);
  const said = error instanceof Error && error.message !== '' ? error.message : String(code ?? error);
  const explain = EXPLANATIONS[code ?? ''] ?? (isLost(error) ? LOST : isUnreachable(error) ? UNREACHABLE : /client password must be a string/.test(said) ? NO_PASSWORD : OTHER);
  return new JournalStoreError(explain(at, said, code), { cause: error });
}

/** The connection broke: what was asked for may have been done or not. */
export const isLost = (error: unknown): boolean => {
  const code = codeOf(error) ?? '';
  return LOST_CODES.has(code) || /^08/.test(code) || (error instanceof Error && /^Connection terminated(?! due)|not queryable|^Query read timeout/.test(error.message));
};

/** No connection came about; nothing was asked for. */
export const isUnreachable = (error: unknown): boolean =>
  UNREACHABLE_CODES.has(codeOf(error) ?? '') || (error instanceof Error && /^timeout (expired|exceeded)|connection timeout$/.test(error.message));

/** The server took it back because of somebody else's work on the same rows, and asks to try again. */
export const isCollision = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error) ?? '');

/** The connection may read only: a standby, or a user without the right to write. */
export const isReadOnly = (error: unknown): boolean => ['25006', '42501'].includes(codeOf(error) ?? '');

/** A row stands already where one was to be inserted. */
export const isTaken = (error: unknown): boolean => codeOf(error) === '23505';

/** SQLSTATE of the server (`28P01`) or code of the system (`ECONNREFUSED`), of an error of `pg` or of the one made of it. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof JournalStoreError) return codeOf(error.cause);
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined; // where Node and `pg` put it
  return typeof code === 'string' ? code : undefined;
}

/** 57P01 and 57P02: ended by an administrator or a crash. */
const LOST_CODES = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02', '57P05']);
/** 57P03: the server starts or stops. */
const UNREACHABLE_CODES = new Set(['ECONNREFUSED', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', '57P03']);

type Explain = (at: PostgresAddress, said: string, code: string | undefined) => string;

const placeOf = ({ host, port }: PostgresAddress) => `${host}:${port}`;
const bracketed = (code: string | undefined) => (code === undefined ? '' : ` (${code})`);

const LOST: Explain = (at, said) => `The connection to PostgreSQL at ${placeOf(at)} broke: ${said}. Resume the run from the journal when the server is back.`;
const UNREACHABLE: Explain = (at, said, code) =>
  `No PostgreSQL server answers at ${placeOf(at)}${bracketed(code)}${code === '57P03' ? `: ${said}` : ''}. Start it, or correct host and port of the connection.`;
const NO_PASSWORD: Explain = (at) => `PostgreSQL at ${placeOf(at)} asks user "${at.user}" for a password, and none was given. Put it into the connection, or into PGPASSWORD.`;
const OTHER: Explain = (at, said, code) => `PostgreSQL at ${placeOf(at)} refused${bracketed(code)}: ${said}.`;

const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  '28P01': (at) => `PostgreSQL at ${placeOf(at)} refused the password of user "${at.user}". Correct user and password of the connection.`,
  '28000': (at, said) => `PostgreSQL at ${placeOf(at)} lets user "${at.user}" not in: ${said}. Correct the user, or allow it in pg_hba.conf.`,
  '3D000': (at) => `PostgreSQL at ${placeOf(at)} has no database "${at.database}". Create it (createdb ${at.database}), or correct its name in the connection.`,
  '42501': (at, said) => `User "${at.user}" lacks a right in database "${at.database}": ${said}. Grant it, or let an owner of the schema open the journal once: that creates the tables.`,
  '25006': (at) => `PostgreSQL at ${placeOf(at)} is read-only, as a standby is. Connect to the primary server.`,
  '53300': (at) => `PostgreSQL at ${placeOf(at)} has no connection left. Raise max_connections, or lower max of the pools that use it.`,
  ENOTFOUND: (at) => `There is no host "${at.host}". Correct the host of the PostgreSQL connection.`,
};
