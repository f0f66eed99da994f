// Installing the screen as an app, where the browser offers that; and the manifest in the language that was chosen.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { install as state } from './install.svelte';

export const install: Feature = {
	name: 'install',
	start: ({ settings }) => state.start(settings),
	appActions: () => (state.offer ? [{ label: m.install(), icon: 'download', run: () => void state.install() }] : []),
};
