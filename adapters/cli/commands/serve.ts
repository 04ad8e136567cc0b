/** `loopchart serve`: threads with an agent, for programs: JSON-RPC over standard input and output, or over WebSockets. */
import { Console } from 'node:console';
import { homedir } from 'node:os';
import type { Readable } from 'node:stream';
import { ThreadServer, listenForWebSockets, makeToken, recordedThreads, serveLines } from '../../server/index.ts';
import { agentsFrom } from '../agentGraph.ts';
import { CliError, EXIT, type ExitCode, UsageError } from '../exit.ts';
import { openJournal } from '../journal/place.ts';
import type { ServeOptions } from '../options.ts';
import { type Stage, agentOf, openStage } from '../stage.ts';
import { versionOfPackage } from '../version.ts';

type Listening = { kind: 'stdio' } | { kind: 'webSockets'; host: string; port: number };

export async function serve(options: ServeOptions): Promise<ExitCode> {
  const where = listeningOf(options.listen);
  if (where.kind === 'stdio' && (options.token !== undefined || options.origins.length > 0)) throw new UsageError('"--token" and "--origin" are for WebSockets: --listen ws://127.0.0.1:0', 'serve');
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr }); // what agent files and tools print is not of the protocol
  const agent = await agentOf({ ...options, json: true });
  const opened = await openJournalOf(options);
  try {
    const stage = await openStage({ ...options, json: true }, agent);
    try {
      const server = serverFor(stage, options, opened?.journal);
      tell(`${agent.name}, ${stage.provider.label} Threads are ${opened ? `recorded in ${opened.where}` : 'kept in memory: name a --journal to keep them longer'}.`);
      return await (where.kind === 'stdio' ? overPipes(server) : overWebSockets(server, options, where));
    } finally {
      await stage.provider.close();
    }
  } finally {
    await opened?.journal.close();
  }
}

function serverFor({ agent, runner, provider }: Stage, { model }: ServeOptions, journal: NonNullable<Awaited<ReturnType<typeof openJournalOf>>>['journal'] | undefined): ThreadServer {
  const models = [model, typeof agent.model === 'string' ? agent.model : undefined, provider.defaultModel].filter((name) => name !== undefined && name !== '');
  const threads = recordedThreads({ agent, agents: agentsFrom(agent).slice(1), journal, models: [...new Set(models as string[])], options: { runner, ...(model !== undefined && { model }) } }); // what is undefined was left out
  return new ThreadServer({ threads, version: versionOfPackage(), cwd: process.cwd(), home: homedir(), platform: process.platform });
}

/** Ends with its input: whoever started us has gone. */
async function overPipes(server: ThreadServer): Promise<ExitCode> {
  tell('One message a line, on standard input and output.');
  const left = leave();
  const ended = serveLines(server, { input: process.stdin as Readable, output: process.stdout }).then((): ExitCode => EXIT.completed);
  return until(server, Promise.race([ended, left]));
}

async function overWebSockets(server: ThreadServer, { token: given, origins }: ServeOptions, { host, port }: Extract<Listening, { kind: 'webSockets' }>): Promise<ExitCode> {
  const named = given ?? process.env.LOOPCHART_TOKEN?.trim();
  const token = named || makeToken();
  const left = leave();
  const listener = await listenForWebSockets(server, { host, port, token, origins }).catch((error: unknown) => {
    throw new CliError((error as Error).message, { cause: error }); // it throws errors in words for people
  });
  tell(`Listening on ${listener.url}, one message a frame.${named ? '' : ` Token: ${token}`}`);
  try {
    return await until(server, left);
  } finally {
    await listener.close();
  }
}

async function until(server: ThreadServer, end: Promise<ExitCode>): Promise<ExitCode> {
  const code = await end;
  await server.close(); // threads are given back: what goes on in them is gone on with when they are resumed
  return code;
}

/** A second signal ends at once. */
function leave(): Promise<ExitCode> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(EXIT.interrupted));
  });
}

function listeningOf(given = 'stdio'): Listening {
  if (given === 'stdio' || given === 'stdio://') return { kind: 'stdio' };
  const address = URL.canParse(given) ? new URL(given) : undefined;
  if (address?.protocol !== 'ws:' || address.pathname.length > 1) throw new UsageError(`"--listen" is stdio or ws://127.0.0.1:PORT, not "${given}".`, 'serve');
  return { kind: 'webSockets', host: address.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(address.port || 80) };
}

async function openJournalOf({ journal }: ServeOptions) {
  return journal !== undefined || process.env.LOOPCHART_JOURNAL?.trim() ? openJournal(journal, 'record') : undefined;
}

/** Standard output is the protocol's. */
const tell = (text: string) => void process.stderr.write(`loopchart: ${text}\n`);
