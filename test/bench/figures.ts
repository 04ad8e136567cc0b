/** What is no race against the clock alone: a figure each, with what the hand-written loop has in its place, and what is aimed at. */
export interface Figure {
  /** `W5`, `W7`. */
  workload: string;
  what: string;
  unit: string;
  value: number;
  /** The same of the hand-written loop, where it has such a thing. */
  loop?: number;
  /** To the hand-written loop or to what is named in `what`; the middle of ratios taken side by side. */
  ratio?: number;
  /** What is held to be enough: at most this. */
  aim?: { of: 'value' | 'ratio'; most: number };
}

export function figuresTable(figures: readonly Figure[]): string[] {
  if (figures.length === 0) return [];
  const lines = figures.map(({ workload, what, unit, value, loop, ratio, aim }) => {
    const aimText = aim ? `≤ ${figure(aim.most)}${aim.of === 'ratio' ? ' ×' : ` ${unit}`}` : '';
    const shown = (number: number | undefined, suffix: string) => (number === undefined ? '' : `${figure(number)}${suffix}`);
    return `| ${workload} | ${what} | ${figure(value)} ${unit} | ${shown(loop, ` ${unit}`)} | ${shown(ratio, ' ×')} | ${aimText} |`;
  });
  return ['| | what | loopchart | loop | ratio | aim |', '|---|---|---:|---:|---:|---:|', ...lines];
}

/** Every aim that is missed, as a sentence. */
export function missedFigures(figures: readonly Figure[]): string[] {
  return figures.flatMap(({ workload, what, unit, value, ratio, aim }) => {
    const is = aim?.of === 'ratio' ? ratio : value;
    if (!aim || is === undefined || is <= aim.most) return [];
    return [`${workload}: ${what} is at ${figure(is)} ${aim.of === 'ratio' ? '×' : unit}; the aim is at most ${figure(aim.most)}.`];
  });
}

/** Three figures are more than a bench can promise, and enough. */
export function figure(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
