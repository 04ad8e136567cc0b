/** The command line, read once and checked whole. */
import { parseArgs } from 'node:util';
import type { RunSummary } from '../../actors/journal.ts';
import { UsageError } from './exit.ts';
import { type CommandName, commandNames } from './help.ts';
import { instantIn } from './journal/times.ts';
import { nearest } from './nearest.ts';

/** How an agent is run, and shown. */
export interface PlayOptions {
  /** The user's own agent; the built-in support desk without it. */
  agentFile?: string;
  /** Wins over what agents say. */
  model?: string;
  api?: 'responses' | 'chat';
  /** What happens to calls that need a person: `all` run, `none` run. Without it a person is asked. */
  approve?: 'all' | 'none';
  /** Where runs are recorded, as the command line names it. */
  journal?: string;
  json: boolean;
  debug: boolean;
}
export interface ChatOptions extends PlayOptions {
  thread?: string;
  /** Goes on at once from what is there, without a word. */
  again?: boolean;
}
export interface ResumeOptions extends PlayOptions {
  runId: string;
  /** Goes on after the end, too: a run that failed or was interrupted. */
  again: boolean;
}
export interface ServeOptions extends Omit<PlayOptions, 'json' | 'approve'> {
  /** `stdio`, or an address for WebSockets. */
  listen?: string;
  token?: string;
  origins: readonly string[];
}
export interface RunsOptions { journal?: string; thread?: string; state?: RunSummary['state']; json: boolean; runId?: string; follow: boolean }
export interface MigrateOptions { journal?: string; runIds: string[]; json: boolean }
export interface PruneOptions { journal?: string; before: number; dryRun: boolean }

export type Command =
  | { name: 'help'; about?: CommandName }
  | { name: 'version' }
  | ({ name: 'chat' } & ChatOptions)
  | ({ name: 'serve' } & ServeOptions)
  | ({ name: 'runs' } & RunsOptions)
  | ({ name: 'resume' } & ResumeOptions)
  | ({ name: 'migrate' } & MigrateOptions)
  | ({ name: 'prune' } & PruneOptions);

const OPTIONS = {
  model: { type: 'string' },
  api: { type: 'string' },
  approve: { type: 'string' },
  journal: { type: 'string' },
  thread: { type: 'string' },
  listen: { type: 'string' },
  token: { type: 'string' },
  origin: { type: 'string' },
  state: { type: 'string' },
  before: { type: 'string' },
  follow: { type: 'boolean' },
  again: { type: 'boolean' },
  check: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
  debug: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;
type OptionName = keyof typeof OPTIONS;

const EVERYWHERE: readonly OptionName[] = ['debug', 'help', 'version'];
const OPTIONS_OF: Readonly<Record<CommandName, readonly OptionName[]>> = {
  chat: ['model', 'api', 'approve', 'journal', 'thread', 'json'],
  serve: ['model', 'api', 'journal', 'listen', 'token', 'origin'],
  resume: ['model', 'api', 'approve', 'journal', 'again', 'json'],
  runs: ['journal', 'thread', 'state', 'follow', 'json'],
  migrate: ['check', 'journal', 'json'],
  prune: ['journal', 'before', 'dry-run'],
};
const CHOICES = { api: ['responses', 'chat'], approve: ['all', 'none'], state: ['running', 'awaitingApproval', 'settled', 'interrupted', 'idle', 'paused', 'closed'] } as const satisfies Record<string, readonly string[]> & { state: readonly RunSummary['state'][] };

/** @throws UsageError naming what is wrong and, where something is close, what was meant. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals, tokens } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: false, tokens: true });
  const [command, ...words] = positionals;
  const name = commandNames.find((one) => one === command);
  for (const token of tokens) if (token.kind === 'option') checkOption(token, name);
  if (values.help) return { name: 'help', about: name };
  if (values.version) return { name: 'version' };
  if (command === 'help') return helpAbout(words[0]);
  if (command === 'version') return { name: 'version' };
  if (command === undefined) throw new UsageError('Say what to do, for example: loopchart chat.');
  if (name === undefined) throw new UsageError(`There is no command "${command}".${commandHint(command)}`);
  return read(name, words, values);
}

function helpAbout(word: string | undefined): Command {
  const about = commandNames.find((one) => one === word);
  if (word !== undefined && !about) throw new UsageError(`There is no command "${word}".${commandHint(word)}`);
  return { name: 'help', about };
}

type Values = Readonly<Record<string, unknown>>;

function read(name: CommandName, words: readonly string[], values: Values): Command {
  switch (name) {
    case 'chat':
      atMost(1, words, name, 'one agent file', ' Put messages on the standard input.');
      return { name, ...playIn(name, values, words[0]), thread: text(values.thread) };
    case 'serve':
      atMost(1, words, name, 'one agent file');
      return { name, ...serveIn(values, words[0]) };
    case 'resume':
      atMost(2, words, name, 'a run or a thread, and an agent file');
      if (words[0] === undefined) throw new UsageError('Say which run or thread to go on with: loopchart resume ID. The command runs lists them.', name);
      return { name, ...playIn(name, values, words[1]), runId: words[0], again: values.again === true };
    case 'runs':
      return { name, ...runsIn(words, values) };
    case 'migrate':
      return { name, ...migrateIn(words, values) };
    case 'prune':
      atMost(0, words, name, 'options only');
      if (values.before === undefined) throw new UsageError('Say what is old: --before 30d, or a date.', name);
      return { name, journal: text(values.journal), before: instantIn(String(values.before), Date.now()), dryRun: values['dry-run'] === true };
  }
}

function playIn(name: CommandName, values: Values, agentFile: string | undefined): PlayOptions {
  return {
    agentFile,
    model: text(values.model),
    api: choice('api', values.api, name),
    approve: choice('approve', values.approve, name),
    journal: text(values.journal),
    json: values.json === true,
    debug: values.debug === true,
  };
}

function serveIn(values: Values, agentFile: string | undefined): ServeOptions {
  const { json: _json, approve: _approve, ...play } = playIn('serve', values, agentFile);
  return { ...play, listen: text(values.listen), token: text(values.token), origins: text(values.origin)?.split(',') ?? [] };
}

function runsIn(words: readonly string[], values: Values): RunsOptions {
  atMost(1, words, 'runs', 'one run');
  const [runId] = words;
  const filter = values.thread === undefined ? (values.state === undefined ? undefined : '--state') : '--thread';
  if (runId !== undefined && filter) throw new UsageError(`"${filter}" is for the list of runs; "${runId}" is one of them already.`, 'runs');
  if (runId === undefined && values.follow) throw new UsageError('Say which run to follow: loopchart runs RUN_ID --follow.', 'runs');
  return { journal: text(values.journal), thread: text(values.thread), state: choice('state', values.state, 'runs'), json: values.json === true, runId, follow: values.follow === true };
}

/** The first word is the journal, unless an option names it. */
function migrateIn(words: readonly string[], values: Values): MigrateOptions {
  if (!values.check) throw new UsageError('migrate only checks, so far: loopchart migrate --check WHERE. Nothing that is recorded is ever changed.', 'migrate');
  const [first, ...rest] = words;
  return values.journal === undefined
    ? { journal: first, runIds: rest, json: values.json === true }
    : { journal: text(values.journal), runIds: [...words], json: values.json === true };
}

function atMost(count: number, words: readonly string[], name: CommandName, what: string, hint = ''): void {
  if (words.length > count) throw new UsageError(`${name} takes ${what}; "${words[count]}" is one too many.${hint}`, name);
}

interface OptionToken { name: string; rawName: string; value?: string | undefined }

function checkOption({ name, rawName, value }: OptionToken, command: CommandName | undefined): void {
  const known: readonly string[] = command ? [...OPTIONS_OF[command], ...EVERYWHERE] : Object.keys(OPTIONS);
  const option = known.includes(name) ? OPTIONS[name as OptionName] : undefined; // known are names of options only
  if (!option) throw new UsageError(`There is no option "${rawName}"${command && name in OPTIONS ? ` of ${command}` : ''}.${meant(name, known, '--')}`, command);
  if (option.type === 'boolean' && value !== undefined) throw new UsageError(`"${rawName}" takes no value.`, command);
  if (option.type === 'string' && (value === undefined || value === '' || value.startsWith('--'))) throw new UsageError(`"${rawName}" needs a value.`, command);
}

function choice<Name extends keyof typeof CHOICES>(name: Name, given: unknown, command: CommandName): (typeof CHOICES)[Name][number] | undefined {
  if (given === undefined) return undefined;
  const found = CHOICES[name].find((one) => one === given);
  if (!found) throw new UsageError(`"--${name}" is ${CHOICES[name].join(' or ')}, not "${String(given)}".${meant(String(given), CHOICES[name], '')}`, command);
  return found;
}

function meant(given: string, known: readonly string[], prefix: string): string {
  const close = nearest(given, known);
  return close === undefined ? '' : ` Did you mean "${prefix}${close}"?`;
}

function commandHint(given: string): string {
  return /\.[cm]?[jt]s$/.test(given) ? ` Did you mean "chat ${given}"?` : meant(given, [...commandNames, 'help', 'version'], '');
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
