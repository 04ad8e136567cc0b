/**
 * `npm run pack:check`: the tarball as users get it. It is packed, looked through by publint and attw, installed into an empty
 * folder, every entry imported by plain Node, its types compiled the way apps compile theirs, and its command started.
 * Needs `npm run build`. Prints one line a step; exits with 1 at the first that fails.
 */
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import manifest from '../../package.json' with { type: 'json' };
import { appSource, entriesOf, tsconfigs } from './app.ts';

/** What a step found, told in its message. */
class StepFailed extends Error {}

/** Entries that are for users of an optional peer: whoever imports one has it. */
const MADE_OF = { 'loopchart/view': '@xstate/store' } as const;

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'loopchart-pack-'));
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

try {
  const tarball = step('pack', pack);
  await checkManifest();
  step('attw', () => run(bin('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'], root));
  const app = step('install', () => install(tarball));
  for (const entry of entriesOf(manifest)) if (!(entry in MADE_OF)) step(`import ${entry}`, () => importEntry(app, entry));
  for (const [entry, peer] of Object.entries(MADE_OF)) step(`import ${entry} beside ${peer}`, () => importBeside(app, entry, peer));
  for (const [name, config] of Object.entries(tsconfigs)) step(`types, ${name}`, () => compile(app, name, config));
  step('command', () => startCommand(app));
} catch (error) {
  // A step that failed has said what it found; the rest is of no use to the reader.
  console.error(error instanceof StepFailed ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack(): string {
  if (!existsSync(join(root, 'dist', 'index.js'))) throw new StepFailed('There is no dist/index.js. Run: npm run build');
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root)) as { filename: string; files: { path: string }[] }[];
  const strays = packed!.files.map(({ path }) => path).filter((path) => !/^(dist\/|visualizations\/charts\/|(README|CHANGELOG)\.md$|LICENSE$|package\.json$)/.test(path) || /\.test\.|\.ts\.map$/.test(path));
  if (strays.length > 0) throw new StepFailed(`The tarball holds what it should not: ${strays.join(', ')}`);
  return join(folder, packed!.filename);
}

async function checkManifest(): Promise<void> {
  const { messages, pkg } = await publint({ pkgDir: root, pack: false, strict: true });
  if (messages.length > 0) throw new StepFailed(`publint:\n${messages.map((message) => formatMessage(message, pkg)).join('\n')}`);
  console.log('✓ publint');
}

/** Optional peers stay out, as they do for users: no entry may need one before it is used. */
function install(tarball: string): string {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder);
  const unwanted = Object.keys(manifest.peerDependencies).filter((name) => existsSync(join(folder, 'node_modules', name)));
  if (unwanted.length > 0) throw new StepFailed(`Optional peers were installed: ${unwanted.join(', ')}`);
  return folder;
}

function importEntry(app: string, entry: string): void {
  const attributes = entry.endsWith('.json') ? `, { with: { type: 'json' } }` : '';
  const script = `const names = Object.keys(await import(${JSON.stringify(entry)}${attributes})); if (names.length === 0) throw new Error('it exports nothing');`;
  run(process.execPath, ['--input-type=module', '-e', script], app);
}

function importBeside(app: string, entry: string, peer: (typeof MADE_OF)[keyof typeof MADE_OF]): void {
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `${peer}@${manifest.peerDependencies[peer]}`], app);
  importEntry(app, entry);
}

function compile(app: string, name: string, compilerOptions: object): void {
  const config = join(app, `tsconfig.${name}.json`);
  writeFileSync(join(app, 'app.ts'), appSource);
  writeFileSync(config, JSON.stringify({ compilerOptions, files: ['app.ts'] }));
  run(bin('tsc'), ['-p', config], app);
}

function startCommand(app: string): void {
  const version = run(join(app, 'node_modules', '.bin', 'loopchart'), ['--version'], app).trim();
  if (version !== manifest.version) throw new StepFailed(`loopchart --version says ${JSON.stringify(version)}, not ${manifest.version}`);
}

function step<Result>(name: string, act: () => Result): Result {
  try {
    const result = act();
    console.log(`✓ ${name}`);
    return result;
  } catch (error) {
    // Expected of commands: their exit code says that they found something, their output what.
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    throw new StepFailed(`✗ ${name}\n${[stdout, stderr].join('\n').trim() || message}`);
  }
}

function run(command: string, args: string[], cwd: string): string {
  const options: ExecFileSyncOptionsWithStringEncoding = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  return execFileSync(command, args, options);
}
