// Looking for words in what was said, here and in the archive that is here, and for what
// was starred.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import Found from './Found.svelte';

export const search: Feature = {
	name: 'search',
	found: { now: Found },
	panels: { search: { later: () => import('./InChat.svelte') }, starred: { later: () => import('./Starred.svelte') } },
	pages: { starred: { later: () => import('./AllStarred.svelte') } },
	appActions: ({ route }) => [{ label: m.search_starred(), icon: 'star', run: () => route.turn('starred') }],
	chatActions: ({ route }) => [
		{ label: m.search_in_chat(), icon: 'search', run: () => route.show('search') },
		{ label: m.search_starred(), icon: 'star', run: () => route.show('starred') },
	],
};
