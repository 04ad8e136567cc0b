#!/usr/bin/env node
/** The command `loopchart`: puts options, agent, provider and output together, and says by its exit code how it went. */
import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Agent } from '../../actors/agent.ts';
import { Runner } from '../../actors/run.ts';
import { loadAgentFile } from './agentFile.ts';
import { type Audience, Conversation } from './conversation.ts';
import { answerOfStandIn, answerOfSupportDesk } from './demo/script.ts';
import { DEMO_HINTS, makeSupportDesk } from './demo/supportDesk.ts';
import { CliError, EXIT, type ExitCode, worse } from './exit.ts';
import { JsonOutput } from './jsonOutput.ts';
import { type ChatOptions, HELP, parseCommand } from './options.ts';
import { AbsentPerson, type Writer, sayLines } from './piped.ts';
import { PlainOutput } from './plainOutput.ts';
import { type Provider, openProvider } from './provider.ts';
import { Terminal } from './terminal/terminal.ts';
import { explained } from './wording.ts';

const TOOL_PACE_MS = 600;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.brokenPipe); // whoever read us has heard enough
  process.stderr.write(`loopchart: The output cannot be written: ${error.message}\n`);
  process.exit(EXIT.failed);
});
const code = await main(process.argv.slice(2));
for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve)); // what is written may still be on its way
process.exit(code);

async function main(args: readonly string[]): Promise<ExitCode> {
  try {
    const command = parseCommand(args);
    switch (command.name) {
      case 'help':
        process.stdout.write(HELP);
        return EXIT.completed;
      case 'version':
        process.stdout.write(`${versionOfPackage()}\n`);
        return EXIT.completed;
      case 'chat':
        return await chat(command);
    }
  } catch (error) {
    return refuse(error, args.includes('--debug'));
  }
}

async function chat(options: ChatOptions): Promise<ExitCode> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb' && !options.json;
  process.env.OPENAI_LOG ??= 'off'; // the client's own log would stand between the lines; its errors reach us anyway
  const isDemo = options.agentFile === undefined;
  const agent = options.agentFile === undefined ? makeSupportDesk({ paceMs: isTerminal ? TOOL_PACE_MS : 0 }) : await loadAgentFile(options.agentFile);
  const answer = isDemo ? answerOfSupportDesk : answerOfStandIn;
  const provider = await openProvider({ api: options.api, model: options.model, answer, atHumanSpeed: isTerminal, needsModel: isDemo }, process.env);
  try {
    return isTerminal ? await inTerminal(options, agent, provider) : await overPipes(options, agent, provider);
  } finally {
    await provider.close();
  }
}

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

function conversationWith(agent: AnyAgent, provider: Provider, options: ChatOptions, audience: Audience): Conversation {
  const runner = new Runner({ modelProvider: provider.modelProvider, model: provider.defaultModel });
  return new Conversation({ agent, runner, model: options.model, audience });
}

async function inTerminal(options: ChatOptions, agent: AnyAgent, provider: Provider): Promise<ExitCode> {
  const terminal = new Terminal({ input: process.stdin, out: process.stdout, approve: options.approve, showStacks: options.debug });
  const printing = new Writable({
    write(chunk, _encoding, done) {
      terminal.print(String(chunk).replace(/\n$/, ''));
      done();
    },
  });
  globalThis.console = new Console({ stdout: printing, stderr: printing });
  onStrayErrors((error) => terminal.trouble(error));
  process.on('SIGINT', () => terminal.interrupt()); // sent by a program; Ctrl-C arrives as a key
  for (const [signal, number] of [['SIGTERM', 15], ['SIGHUP', 1]] as const) process.once(signal, () => terminal.leave((128 + number) as ExitCode)); // what a shell makes of the signal
  return terminal.converse(conversationWith(agent, provider, options, terminal), greetingOf(options, agent, provider));
}

async function overPipes(options: ChatOptions, agent: AnyAgent, provider: Provider): Promise<ExitCode> {
  const stop = firstInterrupt();
  const { stdout: out, stderr: errors } = process;
  const showStacks = options.debug;
  const writer: Writer = options.json ? new JsonOutput({ out, showStacks }) : new PlainOutput({ out, errors, showStacks });
  if (options.json) globalThis.console = new Console({ stdout: errors, stderr: errors }); // the standard output is for JSON lines alone
  else out.write(`${greetingOf(options, agent, provider).join('\n')}\n\n`);
  const person = new AbsentPerson(options.approve);
  onStrayErrors((error) => {
    writer.trouble(error);
    process.exit(EXIT.failed);
  });
  process.once('beforeExit', () => {
    writer.trouble(new CliError('The run waits for something that cannot happen any more: a tool, a guardrail or a model returned a promise that nothing will settle.'));
    process.exit(EXIT.failed);
  });
  const conversation = conversationWith(agent, provider, options, {
    event: (event) => writer.event(event),
    settled: (ending) => writer.settled(ending),
    decide: async (item) => {
      const { ruling, verdict } = person.rule();
      writer.ruled(item, ruling);
      return verdict;
    },
  });
  const code = await sayLines(conversation, writer, { stop });
  return worse(code, person.wasMissed ? EXIT.approvalMissing : EXIT.completed);
}

function greetingOf({ agentFile }: ChatOptions, agent: AnyAgent, { label, isEmbedded }: Provider): string[] {
  const head = [`loopchart ${versionOfPackage()}: ${agent.name}${agentFile === undefined ? ', a support desk' : ` from ${agentFile}`}`, `Provider: ${label}`];
  if (agentFile !== undefined) return head;
  const hints = isEmbedded ? 'This is the built-in demo: scripted answers; real loop, tools, HTTP and SSE. Try:' : 'Try:';
  return [...head, hints, ...DEMO_HINTS.map((hint) => `  ${hint}`)];
}

/** The first Ctrl-C interrupts the run and ends the conversation, the second leaves whatever is still going. */
function firstInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  });
  return controller.signal;
}

/** What timers and promises that nobody awaits throw. A person is told and decides; without one the command ends, as Node does. */
function onStrayErrors(tell: (error: unknown) => void): void {
  process.on('uncaughtException', tell);
  process.on('unhandledRejection', tell);
}

function refuse(error: unknown, showStack: boolean): ExitCode {
  process.stderr.write(`loopchart: ${explained(error)}\n`);
  if (showStack && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (showStack && error instanceof Error && error.cause instanceof Error) process.stderr.write(`Caused by: ${error.cause.stack}\n`);
  return error instanceof Error && 'exitCode' in error ? (error.exitCode as ExitCode) : EXIT.failed; // set by the errors of this command only
}

/** The package's own file lies somewhere above, at one depth in the sources and at another in what is built. */
function versionOfPackage(): string {
  for (let folder = new URL('..', import.meta.url); ; folder = new URL('..', folder)) {
    const version = versionIn(new URL('package.json', folder));
    if (version !== undefined || folder.pathname === '/' || folder.href === new URL('..', folder).href) return version ?? 'unknown';
  }
}

function versionIn(file: URL): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown };
    return name === 'loopchart' && typeof version === 'string' ? version : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
