// Being told of messages while the screen is open and not looked at: a number on the app's
// sign, a notification and a sound by choice. Nothing comes when no window is open.

import type { Feature } from '../../feature';

export const notify: Feature = {
	name: 'notify',
	start: (world) => void import('./notifier.svelte').then(({ notifier }) => notifier.start(world)),
	pages: { notify: { later: () => import('./Notifications.svelte') } },
};
