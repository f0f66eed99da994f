// Pictures and films: in bubbles, full screen, and all of a chat.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { carries } from '../../model/media';
import Album from './Album.svelte';
import Picture from './Picture.svelte';
import { viewing } from './viewing.svelte';

export const media: Feature = {
	name: 'media',
	start: (world) => viewing.start(world),
	part: { when: (message) => carries(message, 'image', 'video'), view: { now: Picture } },
	album: { now: Album },
	panels: { media: { later: () => import('./Gallery.svelte') } },
	over: { when: () => viewing.message !== undefined, view: { later: () => import('./Viewer.svelte') } },
	chatActions: ({ route }) => [{ label: m.media_gallery(), icon: 'image', run: () => route.show('media') }],
};
