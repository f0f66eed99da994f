// Groups: making one, who is in it, being asked into one, and speaking to somebody in it.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { standing } from './invited.svelte';

const lines = new Set(['invited', 'not-invited', 'member-added', 'member-removed', 'members-changed', 'renamed', 'asked-in', 'let-in', 'declined', 'asks-in']);

export const groups: Feature = {
	name: 'groups',
	start: (world) => standing.start(world),
	pages: { group: { later: () => import('./NewGroup.svelte') } },
	panels: { group: { later: () => import('./Group.svelte') }, 'group-link': { later: () => import('./GroupLink.svelte') }, 'group-add': { later: () => import('./AddPeople.svelte') } },
	line: { when: ({ notice = '' }) => lines.has(notice), view: { later: () => import('./Line.svelte') } },
	instead: { when: (_, chat) => standing.asked(chat) || standing.waits(chat) || standing.over(chat), view: { later: () => import('./Answer.svelte') } },
	who: { when: (_, chat) => Boolean(chat.room && chat.joined), view: { later: () => import('./Who.svelte') } },
	tools: { later: () => import('./Mention.svelte') },
	appActions: ({ route }) => [{ label: m.group_new(), icon: 'people', run: () => route.turn('group') }],
	chatActions: ({ route }, chat) => (chat.room && !standing.asked(chat) && !standing.waits(chat) ? [{ label: m.group_details(), icon: 'people', run: () => route.show('group') }] : []),
};
