import { STYLES } from './rows.ts';
import { PALETTE, WORDS } from './words.ts';

/** Class of the drawing's root: every rule stays below it, so that a drawing set into a page leaves the page alone. */
export const ROOT = 'loopchart';

/** Colours that belong to no word. */
export const PAGES = {
  light: { page: '#ffffff', text: '#1b1f24', dim: '#57606a', line: '#6e7781' },
  dark: { page: '#0d1117', text: '#e6edf3', dim: '#9ea7b3', line: '#8b949e' },
} as const;

/** The style sheet of a drawing: light, and dark where the reader prefers it. Plain rules only, which every SVG reader understands. */
export function styleSheet(): string {
  return `${sheet(shapes())}${sheet(colours('light'))}@media (prefers-color-scheme:dark){${sheet(colours('dark'))}}`;
}

type Rule = readonly [selectors: string, declarations: string];

const sheet = (rules: readonly Rule[]): string => rules.map(([selectors, declarations]) => `${selectors.split(',').map((one) => `.${ROOT} ${one}`).join(',')}{${declarations}}`).join('');

function shapes(): Rule[] {
  return [
    ['text', 'font-family:"Segoe UI",Roboto,Helvetica,Arial,"DejaVu Sans",sans-serif'],
    ...Object.entries(STYLES).map(([style, { size, bold }]): Rule => [`.${style}`, `font-size:${size}px${bold ? ';font-weight:700' : ''}`]),
    ['.box,.inner,.wire', 'stroke-width:1.2'],
    ['.inner,.wire,.rule', 'fill:none'],
    ['.rule', 'stroke-width:.6;stroke-opacity:.5'],
    ['.chip', `font-size:${STYLES.guard.size}px;text-anchor:end`],
    ['.ends>.guard,.ends>.chip', 'font-weight:700'],
    ['.wire.ends', 'stroke-width:2'],
    ['.anywhere>.box,.spawned>.box', 'stroke-dasharray:5 4'],
    ['.active>.box', 'stroke-width:4'],
  ];
}

function colours(theme: keyof typeof PAGES): Rule[] {
  const { page, text, dim, line } = PAGES[theme];
  return [
    ['.page', `fill:${page}`],
    ['text', `fill:${text}`],
    ['.description,.actions,.fact', `fill:${dim}`],
    ['.box', `fill:${page};stroke:${line}`],
    ['.wire,.rule,.inner', `stroke:${line}`],
    ['.head,.start', `fill:${line}`],
    ['.wire.ends', `stroke:${text}`],
    ['.head.ends', `fill:${text}`],
    ...WORDS.flatMap((word): Rule[] => {
      const { line: hue, fill } = PALETTE[theme][word];
      return [
        [`.${word}>.box`, `fill:${fill};stroke:${hue}`],
        [`.${word}>.inner,.wire.${word}`, `stroke:${hue}`],
        [`.${word}>.title,.${word}>.name,.row.${word}>.chip,.row.ends.${word}>.guard,.head.${word}`, `fill:${hue}`],
      ];
    }),
  ];
}
