// Everything that is counted has its six Arabic forms, and the right one for each number.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Settings } from '../model/settings.svelte';
import { number } from '../ui/time';
import { m, speak } from './index';

type Plural = [{ match: Record<string, string> }];
const words = (locale: string) => JSON.parse(readFileSync(`messages/${locale}.json`, 'utf8')) as Record<string, string | Plural>;
const counted = Object.entries(words('ar')).filter((e): e is [string, Plural] => Array.isArray(e[1]));
const say = (key: string, count: number, n: string) => (m as unknown as Record<string, (p: { count: number; n: string }) => string>)[key]!({ count, n });

const forms = { zero: [0], one: [1], two: [2], few: [3, 7, 10, 103, 110], many: [11, 26, 99, 111], other: [100, 101, 102, 1000] };

test('there are messages that count', () => expect(counted.length).toBeGreaterThan(4));

test.each(counted)('%s has the right form for every number, in Arabic digits', (key, [{ match }]) => {
	const settings = new Settings();
	settings.locale = 'ar';
	speak(settings);
	for (const [form, numbers] of Object.entries(forms)) {
		const text = Object.entries(match).find(([k]) => k.endsWith(`=${form}`))![1];
		for (const count of numbers) {
			const n = number(count, settings.tag);
			expect(say(key, count, n), String(count)).toBe(text.replaceAll('{n}', n));
			expect(say(key, count, n)).not.toMatch(/[0-9]/);
		}
	}
	// few and many are other words than other, as the noun changes with them
	const of = (form: string) => Object.entries(match).find(([k]) => k.endsWith(`=${form}`))![1];
	expect(new Set(['one', 'two', 'few'].map(of)).size).toBe(3);
	expect(of('one')).not.toContain('{n}');
	expect(of('two')).not.toContain('{n}');
});

test.each(Object.entries(words('en')).filter(([, v]) => Array.isArray(v)).map(([key]) => key))('%s has one and many in English', (key) => {
	const settings = new Settings();
	settings.locale = 'en';
	speak(settings);
	expect(say(key, 1, '1')).not.toBe(say(key, 2, '2'));
	expect(say(key, 2, '2').replace('2', '11')).toBe(say(key, 11, '11'));
});

test('no sentence with a number beside it is left uncounted', () => {
	const bare = Object.entries(words('en')).filter(([, v]) => typeof v === 'string' && /\{(n|count)\}\s+\p{L}/u.test(v as string)).map(([key]) => key);
	expect(bare).toEqual([]);
});
