// Emoji to choose from: what there is, how it is called in both languages, skin tones, and which
// ones were used last in this browser. Fetched when a picker opens (make.mjs says where it is from).

import type { Locale } from '../../model/settings.svelte';
import { folded } from '../fold';
import all from './all.json';

export const sections = Object.entries(all).map(([name, text]) => ({ name: name as keyof typeof all, emoji: text.split(' ') }));

/** Words are an emoji's name and what else it is found by, with | between. */
type Words = Record<string, string>;

const country = /^[\u{1F1E6}-\u{1F1FF}]{2}$/u;
const fetching: Record<Locale, () => Promise<{ default: Words }>> = { en: () => import('./words-en.json'), ar: () => import('./words-ar.json') };

/** A Language calls emoji by their names. */
export class Language {
	#words: Words;
	#regions: Intl.DisplayNames;
	#folded = new Map<string, string>();

	constructor(words: Words, locale: Locale) {
		this.#words = words;
		this.#regions = new Intl.DisplayNames(locale, { type: 'region', fallback: 'none' });
	}

	static async of(locale: Locale): Promise<Language> {
		return new Language((await fetching[locale]()).default, locale);
	}

	name(emoji: string): string {
		return this.#of(emoji).split('|')[0] || emoji;
	}

	/** found says whether it has all of these words, which are folded, in what it is called or found by. */
	found(emoji: string, words: readonly string[]): boolean {
		let known = this.#folded.get(emoji);
		if (known === undefined) this.#folded.set(emoji, (known = folded(this.#of(emoji).replaceAll('|', ' '))));
		return words.every((word) => known.includes(word));
	}

	#of(emoji: string): string {
		if (!country.test(emoji)) return this.#words[emoji] ?? '';
		const letters = [...emoji].map((l) => String.fromCharCode(l.codePointAt(0)! - 0x1f1e6 + 65)).join('');
		return this.#regions.of(letters) ?? letters;
	}
}

/** search finds what one of the languages knows by all these words. */
export function search(text: string, languages: readonly Language[]): string[] {
	const words = folded(text).split(/\s+/).filter(Boolean);
	return sections.flatMap((s) => s.emoji).filter((e) => languages.some((l) => l.found(e, words)));
}

export type Tone = 0 | 1 | 2 | 3 | 4 | 5;
export const tones: readonly Tone[] = [0, 1, 2, 3, 4, 5];

/** toned is an emoji of one person or hand in a skin tone, any other as it is. */
export function toned(emoji: string, tone: Tone): string {
	const bases = emoji.match(/\p{Emoji_Modifier_Base}/gu) ?? [];
	if (!tone || bases.length !== 1) return emoji;
	const other = emoji.replace(/(\p{Emoji_Modifier_Base})\ufe0f?/u, `$1${String.fromCodePoint(0x1f3fa + tone)}`);
	return /^\p{RGI_Emoji}$/v.test(other) ? other : emoji;
}

const place = 'mirsal emoji';
const most = 24;

/** What was used last, the latest first, and the tone that was chosen. */
export class Used {
	last = $state.raw<readonly string[]>([]);
	tone = $state<Tone>(0);

	constructor() {
		const kept = read();
		this.last = (Array.isArray(kept.last) ? kept.last : []).filter((e) => typeof e === 'string' && /^\p{RGI_Emoji}$/v.test(e)).slice(0, most);
		if (tones.includes(kept.tone as Tone)) this.tone = kept.tone as Tone;
	}

	use(emoji: string) {
		this.last = [emoji, ...this.last.filter((e) => e !== emoji)].slice(0, most);
		this.#keep();
	}

	wear(tone: Tone) {
		this.tone = tone;
		this.#keep();
	}

	#keep() {
		try {
			localStorage.setItem(place, JSON.stringify({ last: this.last, tone: this.tone }));
		} catch {
			// a window that keeps nothing has them for as long as it is there
		}
	}
}

function read(): { last?: unknown; tone?: unknown } {
	try {
		return (JSON.parse(localStorage.getItem(place) ?? '{}') ?? {}) as { last?: unknown; tone?: unknown };
	} catch {
		return {};
	}
}

/**
 * stepped is where an arrow leads from the at-th emoji, where they stand in sections of some lengths,
 * in rows of so many; undefined is out of them.
 */
export function stepped(lengths: readonly number[], at: number, key: string, columns: number, rtl: boolean): number | undefined {
	const end = lengths.reduce((a, b) => a + b, 0) - 1;
	const on = rtl ? 'ArrowLeft' : 'ArrowRight';
	if (key === 'Home') return 0;
	if (key === 'End') return end;
	if (key === 'ArrowLeft' || key === 'ArrowRight') return Math.max(0, Math.min(end, at + (key === on ? 1 : -1)));
	if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
	let [section, start] = [0, 0];
	while (at >= start + lengths[section]!) start += lengths[section++]!;
	const [length, column] = [lengths[section]!, (at - start) % columns];
	const place = at - start + (key === 'ArrowDown' ? columns : -columns);
	if (place >= 0 && place < length) return start + place;
	if (key === 'ArrowDown') {
		if (Math.floor((at - start) / columns) < Math.floor((length - 1) / columns)) return start + length - 1; // a shorter last row
		const next = lengths[section + 1];
		return next ? start + length + Math.min(column, next - 1) : at;
	}
	const before = lengths[section - 1];
	if (!before) return undefined; // up to what stands above all
	const row = Math.floor((before - 1) / columns) * columns;
	return start - before + Math.min(row + column, before - 1);
}
