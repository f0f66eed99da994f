// What a file is, as far as that decides how it is shown. What a sender declares is only a
// hint: a picture or a recording is drawn by the type that its first bytes tell, and only
// if it is one of these; everything else is a document, which is saved and never opened.

import type { File as Sent, Message } from '../port/types';
import { plain } from '../ui/bidi';

export type Kind = 'image' | 'video' | 'audio' | 'document';

const byEnding: Readonly<Record<string, string>> = {
	jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp', gif: 'image/gif', avif: 'image/avif',
	mp4: 'video/mp4', m4v: 'video/mp4', webm: 'video/webm', mov: 'video/quicktime',
	m4a: 'audio/mp4', aac: 'audio/aac', mp3: 'audio/mpeg', ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', weba: 'audio/webm', wav: 'audio/wav', flac: 'audio/flac',
};
const drawn = new Set(Object.values(byEnding));

export const endingOf = (name: string): string => /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase() ?? '';

/** typeOf is the type to show a file by, '' for a document. A sender who declares none says it by the ending. */
export function typeOf({ name, type }: { name: string; type?: string }): string {
	const declared = (type ?? '').split(';')[0]!.trim().toLowerCase();
	if (drawn.has(declared)) return declared;
	if (declared === 'audio/x-m4a') return 'audio/mp4';
	if (declared && declared !== 'application/octet-stream') return '';
	return byEnding[endingOf(name)] ?? '';
}

export function kindOf(file: { name: string; type?: string }): Kind {
	const kind = typeOf(file).split('/')[0];
	return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'document';
}

/** hopeless is one's own message whose file is refused each time it is sent. */
export const hopeless = (m: Message): boolean => m.file?.state === 'failed' && m.file.why === 'too-large';

/** fileOf is what a message carries and may be shown. */
export const fileOf = (m: Message): Sent | undefined => (m.retracted || m.unreadable || m.notice ? undefined : m.file);
export const carries = (m: Message, ...kinds: Kind[]): boolean => {
	const file = fileOf(m);
	return Boolean(file && kinds.includes(kindOf(file)));
};

const text = (bytes: Uint8Array, from: number, length: number) => String.fromCharCode(...bytes.subarray(from, from + length));

/** seen is the type that the first 16 bytes of a file tell, '' for all that is not shown. */
export function seen(bytes: Uint8Array, kind: Kind, type: string): string {
	const head = text(bytes, 0, 4);
	const boxed = text(bytes, 4, 4) === 'ftyp' ? text(bytes, 8, 4) : '';
	if (kind === 'image') {
		if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
		if (head === '\x89PNG') return 'image/png';
		if (head === 'GIF8') return 'image/gif';
		if (head === 'RIFF' && text(bytes, 8, 4) === 'WEBP') return 'image/webp';
		return boxed === 'avif' || boxed === 'avis' ? 'image/avif' : '';
	}
	const sounds = boxed || head === '\x1aE\xdf\xa3' || head === 'OggS' || head === 'fLaC' || head === 'RIFF' || head.startsWith('ID3');
	const frames = bytes[0] === 0xff && (bytes[1]! & 0xe0) === 0xe0; // MPEG audio, AAC
	return sounds || (frames && kind === 'audio') ? type : '';
}

/** measured is the size of a picture in pixels: as it was sent with it, or in the name that we give. */
export function measured({ name, width, height }: Sent): { width: number; height: number } | undefined {
	if (width && height) return { width, height };
	const named = /-(\d{1,5})x(\d{1,5})[-.]/.exec(name);
	const size = named && { width: Number(named[1]), height: Number(named[2]) };
	return size && size.width && size.height ? size : undefined;
}

/** lasts is how long a recording is in seconds, 0 unknown. */
export const lasts = ({ name, duration }: Sent): number => (duration ? duration / 1000 : Number(/-(\d{1,5})s\./.exec(name)?.[1] ?? 0));

/** named is the name of a picture or recording: what it is and how large, and nothing of its owner's folders. */
export function named(what: 'photo' | 'video' | 'voice', ending: string, size?: { width: number; height: number }, seconds = 0): string {
	const pixels = size ? `-${size.width}x${size.height}` : '';
	const length = seconds > 0 ? `-${Math.max(1, Math.round(seconds))}s` : '';
	return `${what}${pixels}${length}.${ending}`;
}

const longest = 120;

/** safeName is a name to save a file by: no folders, nothing hidden, nothing that turns its direction. */
export function safeName(name: string): string {
	const clean = plain(name.replace(/[/\\:*?"<>|]/g, '_')).replace(/^[.\s]+|[.\s]+$/g, '');
	if (clean.length <= longest) return clean || 'file';
	const ending = endingOf(clean);
	return ending ? `${clean.slice(0, longest - ending.length - 1)}.${ending}` : clean.slice(0, longest);
}

/** sized is a number of bytes in words. */
export function sized(bytes: number, tag: string): string {
	const units = ['kilobyte', 'megabyte', 'gigabyte'] as const;
	let n = Math.max(1, bytes / 1000);
	let unit = 0;
	while (n >= 999.5 && unit < 2) {
		n /= 1000;
		unit++;
	}
	const digits = n < 10 && unit > 0 ? 1 : 0;
	return new Intl.NumberFormat(tag, { style: 'unit', unit: units[unit], unitDisplay: 'short', maximumFractionDigits: digits }).format(n);
}

/** timed is minutes and seconds, as clocks show them. */
export function timed(seconds: number, tag: string): string {
	const whole = Math.max(0, Math.floor(seconds));
	const n = (x: number, least: number) => new Intl.NumberFormat(tag, { minimumIntegerDigits: least, useGrouping: false }).format(x);
	return `${n(Math.floor(whole / 60), 1)}:${n(whole % 60, 2)}`;
}
