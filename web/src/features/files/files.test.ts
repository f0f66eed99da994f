import { expect, test } from 'vitest';
import { Chosen, pasted } from './chosen.svelte';
import { within } from './prepare';

const file = (name: string) => new File(['x'], name);

test('what was chosen is put in order and left out', () => {
	const chosen = new Chosen();
	chosen.add([file('a'), file('b'), file('c')]);
	chosen.move(chosen.all[2]!.key, -1);
	chosen.move(chosen.all[0]!.key, -1); // it is the first
	expect(chosen.all.map((c) => c.file.name)).toEqual(['a', 'c', 'b']);
	chosen.remove(chosen.all[0]!.key);
	expect(chosen.all.map((c) => c.file.name)).toEqual(['c', 'b']);
	chosen.add(Array.from({ length: 50 }, (_, i) => file(String(i))));
	expect(chosen.all).toHaveLength(30);
});

test('words that are pasted stay words, also where a picture of them comes along', () => {
	const data = (text: string, files: File[]) => ({ getData: () => text, files }) as unknown as DataTransfer;
	expect(pasted(data('a table', [file('a.png')]))).toEqual([]);
	expect(pasted(data('', [file('a.png')]))).toHaveLength(1);
	expect(pasted(null)).toEqual([]);
});

test('a photo is made smaller, never larger, and keeps its shape', () => {
	expect(within(4000, 3000, 2048)).toEqual({ width: 2048, height: 1536 });
	expect(within(800, 600, 2048)).toEqual({ width: 800, height: 600 });
	expect(within(10000, 2, 2048)).toEqual({ width: 2048, height: 1 });
	expect(within(4000, 3000, Infinity)).toEqual({ width: 4000, height: 3000 });
});
