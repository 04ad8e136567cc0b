import { freshSeeds } from './support/fresh.ts';

freshSeeds({ nth: 0, of: 2 });
