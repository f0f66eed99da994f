// How a recording sounds, found from itself: once for each.

import type { Files } from '../../model/files.svelte';
import type { Message } from '../../port/types';
import { levels } from './waveform';

export interface Heard {
	levels: number[];
	/** seconds */
	length: number;
}

const most = 3_000_000; // bytes; more takes long
const known = new Map<string, Promise<Heard | undefined>>();

export function heard(files: Files, message: Message): Promise<Heard | undefined> {
	const path = message.file?.path;
	if (!path) return Promise.resolve(undefined);
	const found = known.get(path) ?? listen(files, message).catch(() => undefined);
	known.set(path, found);
	return found;
}

async function listen(files: Files, message: Message): Promise<Heard | undefined> {
	const blob = await files.blob(message);
	if (!blob || blob.size > most) return undefined;
	const context = new OfflineAudioContext(1, 1, 16_000);
	const sound = await context.decodeAudioData(await blob.arrayBuffer());
	return { levels: levels(sound.getChannelData(0)), length: sound.duration };
}
