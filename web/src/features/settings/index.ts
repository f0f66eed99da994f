// How the screen looks, what others are told, one's own profile, and signing out.

import type { Feature } from '../../feature';
import { m } from '../../i18n';

export const settings: Feature = {
	name: 'settings',
	pages: { settings: { later: () => import('./Settings.svelte') }, profile: { later: () => import('./Profile.svelte') } },
	appActions: ({ route }) => [{ label: m.settings_title(), icon: 'settings', run: () => route.turn('settings') }],
};
