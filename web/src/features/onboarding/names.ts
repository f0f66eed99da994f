// A short name made of what people are called, as the engine makes it (internal/client/signup.go), so
// that it can be shown before it is taken.

import { named, type Refusal } from './invitation';

const most = 32;

export function shortName(name: string): string {
	const parts = name.toLowerCase().replace(/[\u064b-\u065f\u0640'’]/g, '').match(/[\p{L}\p{Nd}][\p{L}\p{Nd}\p{M}]*/gu) ?? [];
	return [...parts.join('.')].slice(0, most).join('').replace(/^\.+|\.+$/g, '');
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
