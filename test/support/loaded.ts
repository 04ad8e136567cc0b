/** What the front door loads with its first run: loading takes time, of which a virtual clock knows nothing. */
import '../../actors/launch.ts';
import '../../actors/revive.ts';
