import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { agentMachine, runMachine, threadMachine, toolCallMachine, turnMachine } from '../machines/index.ts';
import { chartOf, endingsOf, type Chart } from './graph.ts';
import { toMermaid } from './mermaid.ts';
import { toSvg } from './svg.ts';

const FOLDER = new URL('./charts/', import.meta.url);

const HELP = `Usage: npm run charts -- [--check]

Draws the machines of loopchart into visualizations/charts/: data (.json), Mermaid (.mmd) and SVG for each machine,
one overview of all of them (loop), and an index (README.md).

  --check   write nothing; exit with 1 and name the files that differ from what would be written
  --help    show this text
`;

/** Every file of the folder, by name, as it should be. */
export async function chartFiles(): Promise<Map<string, string>> {
  const charts = [threadMachine, runMachine, agentMachine, turnMachine, toolCallMachine].map((machine) => chartOf(machine));
  const loop = chartOf(threadMachine, { spawned: { run: runMachine, agent: agentMachine, turn: turnMachine, toolCall: toolCallMachine } });
  const files = new Map<string, string>();
  for (const chart of charts) {
    files.set(`${chart.id}.json`, `${JSON.stringify(chart, null, 2)}\n`);
    files.set(`${chart.id}.mmd`, toMermaid(chart));
    files.set(`${chart.id}.svg`, await toSvg(chart));
  }
  files.set('loop.mmd', toMermaid(loop, { detail: 'phases' }));
  files.set('loop.svg', await toSvg(loop, { detail: 'phases' }));
  files.set('README.md', indexOf(charts));
  return files;
}

/** One line for each file that is missing, differs or is left over; empty when the folder is as it should be. */
export async function staleCharts(files: ReadonlyMap<string, string>, folder: URL = FOLDER): Promise<string[]> {
  const present = await presentIn(folder);
  const stale: string[] = [];
  for (const [name, content] of files) {
    if (!present.includes(name)) stale.push(`${name} is missing`);
    else if ((await readFile(new URL(name, folder), 'utf8')) !== content) stale.push(`${name} is out of date`);
  }
  return [...stale, ...present.filter((name) => !files.has(name)).map((name) => `${name} is no longer drawn`)];
}

/** Brings the folder to the given files; drawings that are no longer made are removed. */
export async function writeCharts(files: ReadonlyMap<string, string>, folder: URL = FOLDER): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await presentIn(folder)) if (!files.has(name)) await rm(new URL(name, folder));
  for (const [name, content] of files) await writeFile(new URL(name, folder), content);
}

/** Only what could be ours: an editor's or a system's own files are left alone. */
async function presentIn(folder: URL): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.(json|md|mmd|svg)$/.test(name)).sort();
  } catch (error) {
    // Before the first run there is no folder.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function indexOf(charts: readonly Chart[]): string {
  return `${[
    '<!-- Written by `npm run charts`; change the machines, not this file. -->',
    '# The charts of the loop',
    'Drawn from the machines that run. A box is a state; in it stand its transitions, in the order in which they are tried: `event`, `[guard]`, `/ actions`, and where they lead. ' +
      'Bold and coloured lines end the machine: they are the reasons why it can stop. Dashed boxes hold what is true anywhere in a machine, and machines spawned inside a state.',
    '## The whole loop',
    'A thread spawns runs, one at a time, and others beside them in the background; a run spawns agents, an agent its turns, a turn its tool calls; a tool call may spawn a run again. Words and phases only:',
    '[![The whole loop: thread, run, agent, turn and tool call, nested](loop.svg)](loop.svg)',
    'As text: [loop.mmd](loop.mmd)',
    ...charts.flatMap(sectionOf),
  ].join('\n\n')}\n`;
}

function sectionOf(chart: Chart): string[] {
  const rows = endingRows(chart);
  return [
    `## ${chart.id}`,
    ...(chart.description === undefined ? [] : [chart.description]),
    `[![States and transitions of ${chart.id}](${chart.id}.svg)](${chart.id}.svg)`,
    `As text: [${chart.id}.mmd](${chart.id}.mmd). As data: [${chart.id}.json](${chart.id}.json)`,
    `Why it can stop, in the order in which each state asks:`,
    ['| in | when | and if | it goes to |', '|---|---|---|---|', ...rows].join('\n'),
  ];
}

function endingRows(chart: Chart): string[] {
  const endings = new Map(endingsOf(chart).map((state) => [state.id, state.key]));
  return chart.transitions.flatMap(({ source, label, guard, of, targets }) => {
    const ending = targets.map((target) => endings.get(target)).find((key) => key !== undefined);
    if (ending === undefined) return [];
    const where = source === chart.root.id ? 'anywhere' : `\`${source.slice(chart.id.length + 1)}\``;
    const condition = guard === undefined ? (of > 1 ? 'else' : '') : `\`${guard}\``;
    return [`| ${where} | \`${label}\` | ${condition} | \`${ending}\` |`];
  });
}

async function main(options: readonly string[]): Promise<number> {
  const unknown = options.find((option) => option !== '--check' && option !== '--help');
  if (unknown !== undefined) {
    console.error(`Unknown option "${unknown}".\n\n${HELP}`);
    return 2;
  }
  if (options.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const files = await chartFiles();
  const stale = await staleCharts(files);
  if (!options.includes('--check')) {
    await writeCharts(files);
    console.log(stale.length === 0 ? 'The charts were up to date.' : `Drawn: ${stale.length} of ${files.size} files changed.`);
    return 0;
  }
  if (stale.length === 0) return 0;
  console.error(`The drawings in visualizations/charts do not show the machines as they are:\n${stale.map((line) => `  ${line}`).join('\n')}\nRun: npm run charts`);
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
