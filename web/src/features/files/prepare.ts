// What is done to a file before it leaves: photos are made as large as a screen needs, which
// leaves out all that a camera writes into them (the place, the time, the phone); a blurred
// dot of them goes ahead. Other files go as they are.

import { endingOf, kindOf, typeOf } from '../../model/media';
import type { Sending } from '../../model/files.svelte';

const longest = 2048; // pixels
const dot = 24; // pixels of what goes ahead
const patience = 6000; // ms for a video to show itself

/** prepared is what is sent of a file; original sends a photo as it is. */
export async function prepared(file: File, original: boolean): Promise<Sending> {
	const plain = { blob: file, name: file.name || 'file', type: file.type };
	const kind = kindOf(plain);
	if (kind === 'image') return (await photo(file, original || typeOf(plain) === 'image/gif').catch(() => undefined)) ?? plain;
	if (kind === 'video') return (await video(file).catch(() => undefined)) ?? plain;
	return plain;
}

/** within is a size that fits, in whole pixels. */
export function within(width: number, height: number, most: number): { width: number; height: number } {
	const scale = Math.min(1, most / Math.max(width, height));
	return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

async function photo(file: File, original: boolean): Promise<Sending> {
	const whole = await createImageBitmap(file, { imageOrientation: 'from-image' });
	try {
		const size = within(whole.width, whole.height, original ? Infinity : longest);
		const small = painted(whole, within(whole.width, whole.height, dot));
		const about = { ...size, thumb: await ahead(small) };
		if (original) return { blob: file, name: file.name || 'photo.jpg', type: file.type, ...about };
		const type = clear(small) ? 'image/png' : 'image/jpeg';
		const blob = await painted(whole, size).convertToBlob({ type, quality: 0.85 });
		return { blob, name: `photo.${type === 'image/png' ? 'png' : 'jpg'}`, type, ...about };
	} finally {
		whole.close();
	}
}

function painted(source: CanvasImageSource, { width, height }: { width: number; height: number }): OffscreenCanvas {
	const canvas = new OffscreenCanvas(width, height);
	const pen = canvas.getContext('2d')!;
	pen.imageSmoothingQuality = 'high';
	pen.drawImage(source, 0, 0, width, height);
	return canvas;
}

// clear says that one can see through some of it
function clear(canvas: OffscreenCanvas): boolean {
	const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
	return data.some((value, i) => i % 4 === 3 && value < 250);
}

async function ahead(canvas: OffscreenCanvas): Promise<string | undefined> {
	const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.5 })).arrayBuffer());
	const text = `data:image/jpeg;base64,${btoa(String.fromCharCode(...bytes))}`;
	return text.length <= 4096 ? text : undefined; // File.thumb's limit
}

async function video(file: File): Promise<Sending> {
	const url = URL.createObjectURL(file);
	const film = document.createElement('video');
	film.muted = true;
	film.preload = 'auto';
	try {
		await happens(film, 'loadeddata', () => (film.src = url));
		const size = { width: film.videoWidth, height: film.videoHeight };
		const seconds = Number.isFinite(film.duration) ? film.duration : 0;
		const thumb = size.width ? await ahead(painted(film, within(size.width, size.height, dot))) : undefined;
		return { blob: file, name: `video.${endingOf(file.name) || 'mp4'}`, type: file.type, thumb, duration: Math.round(seconds * 1000), ...size };
	} finally {
		film.removeAttribute('src');
		film.load();
		URL.revokeObjectURL(url);
	}
}

function happens(element: HTMLElement, event: string, begin: () => void): Promise<void> {
	return new Promise((resolve, reject) => {
		element.addEventListener(event, () => resolve(), { once: true });
		element.addEventListener('error', () => reject(new Error('it cannot be shown')), { once: true });
		setTimeout(() => reject(new Error('it does not show itself')), patience);
		begin();
	});
}
