// One's own devices: which there are, linking a new one, signing one out, and news of them.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { alerts } from './alerts.svelte';
import { linking } from './linking.svelte';

export const devices: Feature = {
	name: 'devices',
	start(world) {
		alerts.start(world);
		linking.start(world);
	},
	notice: { when: ({ route }) => alerts.list.length > 0 && route.page !== 'devices', view: { later: () => import('./AlertNotice.svelte') } },
	pages: { devices: { later: () => import('./Devices.svelte') }, link: { later: () => import('./Link.svelte') } },
	appActions: ({ route }) => [{ label: m.devices_title(), icon: 'devices', run: () => route.turn('devices') }],
};
