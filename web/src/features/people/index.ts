// The people one knows: all of them, one of them, and how somebody becomes one.

import type { Feature } from '../../feature';
import { m } from '../../i18n';

export const people: Feature = {
	name: 'people',
	pages: {
		people: { later: () => import('./People.svelte') },
		add: { later: () => import('./Add.svelte') },
		scan: { later: () => import('./Add.svelte') },
		invite: { later: () => import('./Invite.svelte') },
	},
	panels: { contact: { later: () => import('./Contact.svelte') } },
	notice: { when: ({ contacts, route }) => contacts.asking.length > 0 && !route.page, view: { later: () => import('./Asking.svelte') } },
	appActions: ({ route }) => [
		{ label: m.people(), icon: 'person', run: () => route.turn('people') },
		{ label: m.people_invite(), icon: 'link', run: () => route.turn('invite') },
	],
	chatActions: ({ route, contacts }, chat) =>
		chat.room || !(contacts.of(chat.address) || chat.last?.notice !== 'invited') ? [] : [{ label: m.people_details(), icon: 'person', run: () => route.show('contact') }],
};
