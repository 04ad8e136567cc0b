import { runMachine } from 'loopchart/machines';
import { chartOf, toMermaid } from 'loopchart/visualizations';

const chart = chartOf(runMachine); // works for your own machines too; toSvg(chart) draws it without a browser
console.log(toMermaid(chart));
