// Coming in: by an invitation, by another device, by a recovery code or passkey. The form of an
// invitation is there at once, while the engine is still on its way.

import type { Feature } from '../../feature';
import { onboarding as state } from './onboarding.svelte';

export const onboarding: Feature = {
	name: 'onboarding',
	start() {
		state.arrive();
		addEventListener('hashchange', () => state.arrive());
	},
	gate: { when: (world) => state.wanted(world), view: { later: () => import('./Onboarding.svelte') } },
};
