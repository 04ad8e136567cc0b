/** Where runs are kept, as the command line names it: a PostgreSQL database, a SQLite file, or a folder of JSON lines. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { type Journal, JournalDamage } from '../../../actors/journal.ts';
import { FileJournal, type JournalRepair } from '../../journals/file.ts';
import { runIdOf } from '../../journals/fileLines.ts';
import { EXTENSION, fileNameOf } from '../../journals/fileNames.ts';
import { SqliteJournal } from '../../journals/sqlite.ts';
import { CliError, UsageError } from '../exit.ts';

/** `read` looks and changes nothing, `write` goes on with what is there, `record` makes a journal where there is none. */
export type Purpose = 'read' | 'write' | 'record';

export interface OpenedJournal {
  journal: Journal;
  /** As it is shown: without a password. */
  where: string;
  /** The option that names it; empty where the environment does. */
  option: string;
  /** Runs that are there and cannot be read, as far as a listing has met them, and why. */
  damaged: ReadonlyMap<string, Error>;
  /** The run that was named by its own file. */
  only?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws CliError when no journal is named, or there is none where one is to be read. */
export async function openJournal(named: string | undefined, purpose: Purpose, environment: Environment = process.env): Promise<OpenedJournal> {
  const where = named ?? environment.LOOPCHART_JOURNAL?.trim();
  if (!where) throw new UsageError('Say which journal: --journal WHERE, or set LOOPCHART_JOURNAL.');
  const shown = withoutPassword(where);
  const damaged = new Map<string, Error>();
  const about = { where: shown, option: named === undefined ? '' : ` --journal ${quoted(shown)}`, damaged };
  if (isPostgres(where)) return { ...about, journal: await postgresJournal(where, purpose) };
  const kind = kindOf(where);
  if (kind === 'nothing' && purpose !== 'record') throw new CliError(`There is no journal at ${where}.`);
  if (kind === 'run') return { ...about, journal: folderJournal(dirname(where), damaged), only: runIn(where) };
  if (kind === 'other') throw new CliError(`${where} is a file and no journal: neither a SQLite database nor a folder of runs. Choose another --journal.`);
  if (kind === 'database' || (kind === 'nothing' && isDatabaseName(where))) return { ...about, journal: new SqliteJournal(where, { readOnly: purpose === 'read' }) };
  return { ...about, journal: folderJournal(where, damaged) };
}

/** A path or name as a shell takes it for one word. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

const isPostgres = (where: string) => /^postgres(ql)?:\/\//i.test(where);
const isDatabaseName = (path: string) => ['.db', '.sqlite', '.sqlite3'].includes(extname(path).toLowerCase());

function kindOf(path: string): 'folder' | 'database' | 'run' | 'other' | 'nothing' {
  if (!existsSync(path)) return 'nothing';
  const found = statSync(path);
  if (found.isDirectory()) return 'folder';
  const beginning = beginningOf(path);
  if (beginning.startsWith('SQLite format 3\0') || isDatabaseName(path)) return 'database'; // one that is not what its name says, the store refuses
  return runIdOf(beginning) === undefined ? 'other' : 'run';
}

/** The first line of a run's file fits into it, and so does what tells a database. */
function beginningOf(path: string): string {
  const file = readable(path);
  try {
    const bytes = Buffer.alloc(64 * 1024);
    return bytes.toString('latin1', 0, readSync(file, bytes)).split('\n')[0] ?? '';
  } finally {
    closeSync(file);
  }
}

function readable(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code === 'EACCES' ? 'this user has no right to' : (error as Error).message}.`, { cause: error }); // as the file system throws
  }
}

/** Runs are found by the names of their files: one under another name would be taken for one that is not there. */
function runIn(path: string): string {
  const runId = runIdOf(beginningOf(path))!; // that is how it was known for a run
  const name = fileNameOf(runId);
  if (basename(path) !== name) throw new CliError(`${path} holds the run ${runId}, whose file has to be named ${name}. Rename it.`);
  return runId;
}

function folderJournal(folder: string, damaged: Map<string, Error>): FileJournal {
  const onDamage = (damage: Error, path: string) => damaged.set(damage instanceof JournalDamage ? damage.runId : basename(path, EXTENSION), damage);
  return new FileJournal(folder, { onDamage, onRepair: tellRepair });
}

/** Once a listing was asked for: what it could not show. */
export function tellDamaged({ damaged }: OpenedJournal): void {
  for (const { message } of damaged.values()) process.stderr.write(`loopchart: ${message} It is left out of the list.\n`);
}

/** Expected after a kill in the middle of a write: nothing is lost that had been acknowledged. */
function tellRepair({ runId, length, bytes }: JournalRepair): void {
  process.stderr.write(`loopchart: The last write to run ${runId} was cut; its ${bytes} bytes do not count. The run goes on after its ${length} whole entries.\n`);
}

type PostgresModule = { PostgresJournal: new (connection: string, options: PostgresOptions) => Journal };
type PostgresOptions = { schema?: string; pollMs?: number; readOnly?: boolean };

/** How soon `--follow` shows what came, in ms: who only looks is not told, and asks. */
const FOLLOWED_EVERY_MS = 250;

/** `?schema=` names the schema of the tables, which is no setting of the connection. */
async function postgresJournal(where: string, purpose: Purpose): Promise<Journal> {
  if (!URL.canParse(where)) throw new UsageError('The address of the PostgreSQL journal cannot be read. It has the form postgres://user:password@host:port/database, with special characters percent-encoded.');
  const address = new URL(where);
  const schema = address.searchParams.get('schema') ?? undefined;
  address.searchParams.delete('schema');
  const { PostgresJournal } = (await import(new URL(`../../journals/postgres${extname(import.meta.url)}`, import.meta.url).href)) as PostgresModule; // loaded only where it is used, because its driver need not be installed
  const open = (options: PostgresOptions) => new PostgresJournal(schema === undefined ? where : address.href, { schema, ...options });
  if (purpose === 'read') return open({ readOnly: true, pollMs: FOLLOWED_EVERY_MS });
  if (purpose === 'write') await checkThere(open({ readOnly: true }));
  return open({});
}

/** Only who records makes a journal where there is none. */
async function checkThere(journal: Journal): Promise<void> {
  try {
    await journal.read('run');
  } finally {
    await journal.close();
  }
}

function withoutPassword(where: string): string {
  if (!isPostgres(where) || !URL.canParse(where)) return where.replace(/^(postgres(?:ql)?:\/\/[^:@/]*):.*@/i, '$1:***@');
  const address = new URL(where);
  if (address.password !== '') address.password = '***';
  if (address.searchParams.has('password')) address.searchParams.set('password', '***');
  return address.href;
}
