// A short name made of what people are called, as the engine makes it (internal/client/signup.go), so
// that it can be shown before it is taken.

import { named, type Refusal } from './invitation';

const most = 32;

export function shortName(name: string): string {
	const one = new Script();
	const short = joined(partsOf(name).map((part) => one.begin(part)).filter(Boolean));
	// RFC 5893 §2: what is written from the right begins with a letter
	return one.is.has('Arabic') || one.is.has('Hebrew') ? short.replace(/^[.\p{Nd}]+/u, '') : short;
}

/** typedName is one that somebody has chosen: of what cannot be taken nothing is left out, it is said. */
export const typedName = (name: string): string => joined(partsOf(name));

const partsOf = (name: string): string[] => name.toLowerCase().replace(/[\u064b-\u065f\u0640'’]/g, '').match(/[\p{L}\p{Nd}][\p{L}\p{Nd}\p{M}]*/gu) ?? [];
const joined = (parts: string[]): string => [...parts.join('.')].slice(0, most).join('').replace(/^\.+|\.+$/g, '');

const scripts = ['Latin', 'Arabic', 'Cyrillic', 'Greek', 'Hebrew', 'Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo', 'Devanagari', 'Armenian', 'Georgian'].map(
	(name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')] as const,
);
const shared = /[\p{Script=Common}\p{Script=Inherited}]/u;
// scripts that one language has beside Latin
const together = ['Latin Han Hiragana Katakana', 'Latin Han Bopomofo', 'Latin Han Hangul'].map((all) => new Set(all.split(' ')));

// A Script is what the letters and digits of a name have in common so far: no server takes a mixture.
class Script {
	is = new Set<string>();
	#zero = 0; // of the digits

	/** begin is the beginning of a word that goes with those before. */
	begin(word: string): string {
		const all = [...word];
		const end = all.findIndex((c) => !this.#takes(c));
		return (end < 0 ? all : all.slice(0, end)).join('');
	}

	#takes(c: string): boolean {
		const script = shared.test(c) ? '' : (scripts.find(([, has]) => has.test(c))?.[0] ?? 'other');
		if (/\p{Nd}/u.test(c)) {
			let zero = c.codePointAt(0)!;
			for (const least = zero - 9; zero > least && /\p{Nd}/u.test(String.fromCodePoint(zero - 1)); ) zero--;
			if (this.#zero && this.#zero !== zero) return false;
			this.#zero = zero;
		}
		if (!script || this.is.has(script)) return true;
		const all = [...this.is, script];
		if (all.length > 1 && !together.some((allowed) => all.every((s) => allowed.has(s)))) return false;
		this.is.add(script);
		return true;
	}
}

/** another is the next name to try: with a number behind it, or the next one. */
export function another(name: string): string {
	const number = /\d{1,4}$/.exec(name)?.[0] ?? '';
	const n = Number(number);
	return !/\d{5}$/.test(name) && n >= 1 && n <= 9998 ? name.slice(0, name.length - number.length) + (n + 1) : `${name}2`;
}

export type Checked = { state: 'free'; name: string } | { state: 'taken'; name: string; free?: string } | { state: 'bad' } | { state: 'unknown'; why: Refusal };

const tries = 4;

/** check asks whether a name is free, and looks for one beside it that is. */
export async function check(token: string, name: string, ask: typeof named = named): Promise<Checked> {
	let tried = name;
	for (let i = 0; i < tries; i++) {
		const answer = await ask(token, tried);
		if (typeof answer === 'string') return { state: 'unknown', why: answer };
		if (answer.free) return tried === name ? { state: 'free', name: answer.name ?? name } : { state: 'taken', name, free: answer.name ?? tried };
		if (answer.why !== 'taken' && answer.why !== 'looks-alike' && answer.why !== 'reserved') return { state: 'bad' };
		tried = another(tried);
	}
	return { state: 'taken', name };
}
