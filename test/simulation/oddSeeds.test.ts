import { freshSeeds } from './support/fresh.ts';

freshSeeds({ nth: 1, of: 2 });
