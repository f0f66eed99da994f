// A new release waits in the service worker; it is taken when the person wishes, or when
// no window is open any more.

import type { Feature } from '../../feature';
import Line from './Line.svelte';
import { update } from './update.svelte';

export const newRelease: Feature = {
	name: 'update',
	start() {
		if (import.meta.env.PROD) void update.keep();
	},
	notice: { when: () => update.waits, view: { now: Line } },
};
