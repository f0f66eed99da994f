// The picture of who has none: initials on a colour that is always the same for an address.

import { plain } from './bidi';

/** tones are dark enough for white letters (4.5:1) and light enough on either ground. */
export const tones = ['#0f766e', '#2f6f3e', '#4a6b1f', '#7a5c12', '#97501c', '#a8443a', '#a03c6a', '#83479b', '#5d55ab', '#3d62a8', '#22708f', '#5c6660'] as const;

export function toneOf(address: string): (typeof tones)[number] {
	let hash = 2166136261; // FNV-1a
	for (const c of address) hash = Math.imul(hash ^ c.codePointAt(0)!, 16777619);
	return tones[(hash >>> 0) % tones.length]!;
}

const joins = /\p{Script=Arabic}/u;

/** initialsOf is one or two signs; of a script whose letters join, one. */
export function initialsOf(name: string): string {
	const words = plain(name).replace(/[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\u200D\uFE0F\s]/gu, ' ').split(/\s+/).filter(Boolean);
	const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined].map((w) => (w ? firstSign(w) : ''));
	if (!first) return '?';
	return joins.test(first) ? first : (first + last!).toLocaleUpperCase();
}

const signs = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const firstSign = (word: string) => signs.segment(word)[Symbol.iterator]().next().value?.segment ?? '';
