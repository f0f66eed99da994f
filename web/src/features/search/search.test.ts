import { expect, test, vi } from 'vitest';
import { FakeEngine } from '../../port/fake';
import type { Message, Search } from '../../port/types';
import { Finding } from './finding.svelte';
import { piecesOf } from './marks';

const hits = (text: string, words: string) => piecesOf(text, words).filter((p) => p.hit).map((p) => p.text);
const message = (id: string): Message => ({ id, chat: 'c', sender: 's', time: '2026-11-22T10:00:00Z', delivery: 'received', lock: { state: 'locked' } });

test('words are marked where they stand, whatever their case and marks', () => {
	expect(hits('The Library opens, the LIBRARY closes', 'library')).toEqual(['Library', 'LIBRARY']);
	expect(hits('Café au lait', 'cafe')).toEqual(['Café']);
	expect(hits('كُتِب بلا اتصال', 'كتب')).toEqual(['كُتِب']);
	expect(hits('nothing here', 'xyz')).toEqual([]);
	expect(hits('aaa', 'a aa').join('')).toHaveLength(2); // none over another
});

test('nothing of a text is lost but what lies far before the first hit', () => {
	const whole = 'see 😀 the ﬁle of Übung';
	expect(piecesOf(whole, 'fi übung').map((p) => p.text).join('')).toBe(whole);
	const far = piecesOf('x '.repeat(200) + 'needle and thread', 'needle');
	expect([far[0]!.text, far.map((p) => p.text).join('').length < 100]).toEqual(['…', true]);
});

test('only the last question counts, and it is asked when writing has settled', async () => {
	vi.useFakeTimers();
	const answers = new Map<string, (m: Message[]) => void>();
	const engine = new FakeEngine();
	engine.do = ((c: Search) => new Promise((r) => answers.set(c.query, (messages) => r({ event: 'found', messages })))) as never;
	const f = new Finding(engine);
	f.words('a');
	f.words('one');
	await vi.advanceTimersByTimeAsync(300);
	f.words('two');
	await vi.advanceTimersByTimeAsync(300);
	expect([...answers.keys()]).toEqual(['one', 'two']);
	answers.get('two')!([message('b')]);
	answers.get('one')!([message('a')]);
	await vi.advanceTimersByTimeAsync(0);
	expect(f.hits?.map((h) => h.id)).toEqual(['b']);
	f.words('');
	expect(f.hits).toBeUndefined();
	vi.useRealTimers();
});
