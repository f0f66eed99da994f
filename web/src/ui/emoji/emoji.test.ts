import { beforeEach, expect, test } from 'vitest';
import { Language, search, sections, stepped, toned, Used } from './emoji.svelte';

beforeEach(() => localStorage.clear());

test('every emoji is one, stands once, and has a name in both languages', async () => {
	const all = sections.flatMap((s) => s.emoji);
	expect(all.length).toBeGreaterThan(1500);
	expect(new Set(all).size).toBe(all.length);
	for (const locale of ['en', 'ar'] as const) {
		const language = await Language.of(locale);
		for (const e of all) expect(language.name(e), e).not.toBe(e);
	}
	for (const e of all) expect(e, e).toMatch(/^\p{RGI_Emoji}$/v);
});

test('an emoji is found by words of either language, whatever the vowel signs and the shape of alef', async () => {
	const both = [await Language.of('ar'), await Language.of('en')];
	expect(search('mosque', both)).toContain('🕌');
	expect(search('مسجد', both)).toContain('🕌');
	expect(search('احمر قلب', both)).toContain('❤️');
	expect(search('قَلْب', both)).toContain('❤️');
	expect(search('Palestin', both)).toContain('🇵🇸');
	expect(search('فلسطين', both)).toContain('🇵🇸');
	expect(search('no such thing', both)).toEqual([]);
});

test('one person wears the chosen skin tone, nothing else does', () => {
	expect(toned('👍', 0)).toBe('👍');
	expect(toned('👍', 5)).toBe('👍🏿');
	expect(toned('☝️', 1)).toBe('☝🏻');
	expect(toned('🧑‍💻', 3)).toBe('🧑🏽‍💻');
	expect(toned('🐻', 3)).toBe('🐻');
	for (const s of sections) for (const e of s.emoji) expect(toned(e, 4), e).toMatch(/^\p{RGI_Emoji}$/v);
});

test('what was used last is kept, the latest first and each once; what is kept is not believed', () => {
	const used = new Used();
	for (const e of ['😀', '🕌', '😀']) used.use(e);
	used.wear(2);
	expect(new Used().last).toEqual(['😀', '🕌']);
	expect(new Used().tone).toBe(2);
	for (let i = 0; i < 100; i++) used.use(sections[0]!.emoji[i]!);
	expect(new Used().last).toHaveLength(24);
	for (const bad of ['[]', 'null', '{', '{"last":["<b>",7,"😀"],"tone":9}', '{"last":5}']) {
		localStorage.setItem('mirsal emoji', bad);
		const { last, tone } = new Used();
		expect([last.filter((e) => e !== '😀'), tone]).toEqual([[], 0]);
	}
});

test('arrows lead along rows and columns, over the ends of sections', () => {
	const lengths = [10, 8, 3]; // rows of 8: 8+2, 8, 3
	const go = (at: number, key: string, rtl = false) => stepped(lengths, at, key, 8, rtl);
	expect([go(0, 'ArrowRight'), go(7, 'ArrowRight'), go(20, 'ArrowRight'), go(0, 'ArrowLeft')]).toEqual([1, 8, 20, 0]);
	expect([go(1, 'ArrowLeft', true), go(1, 'ArrowRight', true)]).toEqual([2, 0]);
	expect([go(1, 'ArrowDown'), go(5, 'ArrowDown'), go(9, 'ArrowDown'), go(17, 'ArrowDown'), go(18, 'ArrowDown')]).toEqual([9, 9, 11, 20, 18]);
	expect([go(9, 'ArrowUp'), go(11, 'ArrowUp'), go(15, 'ArrowUp'), go(18, 'ArrowUp'), go(3, 'ArrowUp')]).toEqual([1, 9, 9, 10, undefined]);
	expect([go(5, 'Home'), go(5, 'End'), go(5, 'x')]).toEqual([0, 20, undefined]);
});
