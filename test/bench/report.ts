/** What was measured, as data, as a Markdown table and as a verdict on the aims. */
import { LOOP } from './contestants.ts';
import { W1_GROWTH_AIM, W1_SIZES, type Workload } from './fixtures/workloads.ts';
import { type Figure, figure, figuresTable } from './figures.ts';
import type { Measurement } from './measure.ts';

export interface Case { workload: Workload; measurements: Measurement[] }
/** One line of the result. */
export interface Row {
  workload: string;
  size: number;
  description: string;
  contestant: string;
  /** Microseconds per unit for a cost, units per second for a rate. */
  value: number;
  unit: string;
  /** To the hand-written loop. */
  ratio: number;
  spread: [number, number];
  rounds: number;
}
export interface Growth { contestant: string; growth: number }
export interface Report { rows: Row[]; growth: Growth[]; figures: Figure[] }

export function toReport(cases: readonly Case[], figures: Figure[] = []): Report {
  const rows = cases.flatMap(({ workload, measurements }) => measurements.map((measurement) => toRow(workload, measurement)));
  return { rows, growth: growthOf(rows), figures };
}

export function toMarkdown({ rows, growth, figures }: Report): string {
  const tables = [rows.length > 0 ? racesTable(rows, growth) : [], figuresTable(figures)];
  return tables.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n');
}

function racesTable(rows: readonly Row[], growth: readonly Growth[]): string[] {
  const lines = rows.map(({ workload, size, description, contestant, value, unit, ratio, spread }) => {
    const ratioText = contestant === LOOP ? '1' : `${figure(ratio)} (${figure(spread[0])} – ${figure(spread[1])})`;
    return `| ${workload} × ${size.toLocaleString('en-US')} | ${description} | ${contestant} | ${figure(value)} ${unit} | ${ratioText} |`;
  });
  const grown = growth.map(({ contestant, growth: times }) => `- W1, ${contestant}: a turn at ${last.toLocaleString('en-US')} turns costs ${figure(times)} × a turn at ${first}.`);
  const table = ['| | work | contestant | median | ratio to the loop (quartiles) |', '|---|---|---|---:|---:|', ...lines];
  return [...table, ...(grown.length > 0 ? ['', ...grown] : [])];
}

/** Every aim that `contestant` misses, as a sentence. */
export function missedAims(cases: readonly Case[], contestant: string): string[] {
  const missed = cases.flatMap(({ workload: { id, size, measure, target }, measurements }) => {
    const row = measurements.find(({ name }) => name === contestant);
    if (!row) return [];
    const ratio = measure === 'rate' ? 1 / row.ratio : row.ratio;
    if (measure === 'rate' ? ratio >= target.aim : ratio <= target.aim) return [];
    return [`${id} × ${size}: ${contestant} is at ${figure(ratio)} of the loop; the aim is ${measure === 'rate' ? 'at least' : 'at most'} ${target.aim}.`];
  });
  const grown = toReport(cases).growth.find((entry) => entry.contestant === contestant);
  if (!grown || grown.growth <= W1_GROWTH_AIM) return missed;
  return [...missed, `W1: for ${contestant} a turn at ${last} turns costs ${figure(grown.growth)} × a turn at ${first}; the aim is at most ${W1_GROWTH_AIM}.`];
}

const [first, , last] = W1_SIZES;

function toRow({ id, size, description, unit, units, measure }: Workload, { name, samples, median, ratio, spread }: Measurement): Row {
  const common = { workload: id, size, description, contestant: name, rounds: samples.length };
  // A rate is units per second, and its ratio turns round: half the time is twice the rate.
  if (measure === 'rate') return { ...common, value: (units / median) * 1_000, unit: `${unit}s/s`, ratio: 1 / ratio, spread: [1 / spread[1], 1 / spread[0]] };
  return { ...common, value: (median / units) * 1_000, unit: `µs/${unit}`, ratio, spread };
}

function growthOf(rows: readonly Row[]): Growth[] {
  const costs = new Map(rows.filter(({ workload }) => workload === 'W1').map(({ contestant, size, value }) => [`${contestant} ${size}`, value]));
  return [...new Set(rows.map(({ contestant }) => contestant))].flatMap((contestant) => {
    const [small, large] = [costs.get(`${contestant} ${first}`), costs.get(`${contestant} ${last}`)];
    return small === undefined || large === undefined ? [] : [{ contestant, growth: large / small }];
  });
}
