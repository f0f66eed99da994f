// The engine on its way, where there is nothing yet that could be shown meanwhile; and a
// line above the list when the connection is not there.

import type { Feature } from '../../feature';
import Loading from './Loading.svelte';
import Offline from './Offline.svelte';

export const loading: Feature = {
	name: 'loading',
	gate: { when: ({ connection }) => connection.address === undefined, view: { now: Loading } },
	notice: { when: ({ connection }) => connection.ready && !connection.online, view: { now: Offline } },
};
