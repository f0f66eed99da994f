// Trust one can read: the lock in a conversation's head, what it means and does not cover,
// security codes to compare, and what is to be decided when one of them is new.

import type { Feature } from '../../feature';
import LockButton from './LockButton.svelte';

export const trust: Feature = {
	name: 'trust',
	top: { now: LockButton },
	banner: { when: (_, chat) => chat.lock.state === 'changed', view: { later: () => import('./Decide.svelte') } },
	line: { when: ({ notice }) => notice === 'changed' || notice === 'new-device', view: { later: () => import('./News.svelte') } },
	under: { when: ({ lock, mine }) => lock.state === 'changed' && !mine, view: { later: () => import('./Unsure.svelte') } },
	panels: { lock: { later: () => import('./Lock.svelte') }, codes: { later: () => import('./Compare.svelte') } },
};
