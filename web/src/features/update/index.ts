// A new release waits in the service worker; it is taken when the person wishes, or when
// no window is open any more. It is taken by all windows: screen and engine are of one release.

import type { Feature } from '../../feature';
import Line from './Line.svelte';
import { update } from './update.svelte';

export const newRelease: Feature = {
	name: 'update',
	start({ busy }) {
		if (import.meta.env.PROD) void update.keep(() => [...busy].some((is) => is()));
	},
	notice: { when: ({ connection }) => update.waits || connection.engine.why === 'release', view: { now: Line } },
};
