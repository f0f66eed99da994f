// The way back for who loses every device: a printed code, a passkey, another device. It is
// offered once, at a calm moment after the first messages, above the chats; the page stays in the menu.
// What another device has made is told on every page.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { wayback as state } from './wayback.svelte';

const pages = ['wayback', 'recovery', 'link'];

export const wayback: Feature = {
	name: 'wayback',
	start: (world) => state.start(world),
	notice: { when: ({ route }) => (state.offered && !route.page) || (state.news.length > 0 && !pages.includes(route.page ?? '')), view: { later: () => import('./Card.svelte') } },
	pages: { wayback: { later: () => import('./WayBack.svelte') }, recovery: { later: () => import('./Recovery.svelte') } },
	appActions: ({ route }) => [{ label: m.wayback_title(), icon: 'key', run: () => route.turn('wayback') }],
};
