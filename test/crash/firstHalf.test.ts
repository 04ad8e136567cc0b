/** O1–O3: one half of the scenarios, with processes that die. */
import { crashScenarios } from './support/scenarios.ts';

await crashScenarios({ nth: 0, of: 2 });
