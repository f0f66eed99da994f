// Voices: recorded where one writes, heard in bubbles, and on while one is elsewhere.

import type { Feature } from '../../feature';
import { carries } from '../../model/media';
import { player } from './player.svelte';
import Speak from './Speak.svelte';
import Voice from './Voice.svelte';

export const voice: Feature = {
	name: 'voice',
	start: (world) => player.start(world.files),
	speak: { now: Speak },
	part: { when: (message) => carries(message, 'audio'), view: { now: Voice } },
	over: { when: ({ route }) => Boolean(player.message && player.message.chat !== route.chat), view: { later: () => import('./Bar.svelte') } },
};
