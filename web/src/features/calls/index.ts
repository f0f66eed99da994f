// Calls with one person: rung and answered in every window, spoken in one. What speaks the
// media is in seat.svelte.ts and fetched when there is a call; the engine decides all else.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import Buttons from './Buttons.svelte';
import { live } from './live.svelte';

export const calls: Feature = {
	name: 'calls',
	start: (world) => {
		live.start(world);
		world.busy.add(() => live.large || live.bar !== undefined);
		void import('./log.svelte').then(({ log }) => log.start(world));
	},
	top: { now: Buttons },
	over: { when: () => live.large, view: { later: () => import('./Over.svelte') } },
	above: { when: () => live.bar !== undefined, view: { later: () => import('./Bar.svelte') } },
	notice: { when: ({ route }) => live.missed > 0 && !route.page, view: { later: () => import('./Missed.svelte') } },
	line: { when: ({ notice }) => notice === 'call', view: { later: () => import('./Line.svelte') } },
	pages: {
		calls: { later: () => import('./Log.svelte') },
		'call-links': { later: () => import('./Links.svelte') },
		'call-link': { later: () => import('./ByLink.svelte') },
	},
	appActions: ({ route }) => [{ label: m.calls_title(), icon: 'phone', run: () => route.turn('calls') }],
};
