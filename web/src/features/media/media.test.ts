import { expect, test } from 'vitest';
import { FakeEngine } from '../../port/fake';
import type { Message } from '../../port/types';
import { boxed } from './box';
import { Shelf } from './shelf.svelte';
import { Viewing } from './viewing.svelte';
import { moved, whole, zoomed } from './zoom';

const message = (id: string, more: Partial<Message> = {}): Message => ({
	id, chat: 'bob@localhost', sender: 'bob@localhost', time: '2026-01-01T10:00:00Z', delivery: 'received', lock: { state: 'locked' }, ...more,
});
const photo = (id: string) => message(id, { file: { name: 'photo.jpg', state: 'here', path: `files/${id}` } });

test('a picture has its place before it is here, and never a useless one', () => {
	expect(boxed({ width: 1600, height: 1200 })).toEqual({ width: 320, height: 240 });
	expect(boxed({ width: 1000, height: 3000 }).height).toBe(360);
	expect(boxed({ width: 65536, height: 1 })).toEqual({ width: 320, height: 96 });
	expect(boxed(undefined).width).toBeGreaterThan(200);
});

test('one leafs from picture to picture, and older ones are fetched at the first', async () => {
	const source = { messages: [message('t', { text: 'x' }), photo('b'), message('u', { text: 'y' }), photo('c')] as Message[], older: async () => void source.messages.unshift(photo('a')) };
	const viewing = new Viewing();
	viewing.open(source.messages[3]!, source);
	expect([viewing.message?.id, viewing.later]).toEqual(['c', false]);
	await viewing.leaf(-1);
	expect([viewing.message?.id, viewing.earlier]).toEqual(['b', false]);
	viewing.open(source.messages[1]!, { ...source, more: true });
	expect(viewing.earlier).toBe(true);
	await viewing.leaf(1);
	await viewing.leaf(1);
	expect(viewing.message?.id).toBe('c');
	viewing.close();
	expect(viewing.message).toBeUndefined();
});

test('what was said right behind a picture by the same person is about it', () => {
	const viewing = new Viewing();
	const of = (next: Partial<Message>) => {
		const all = [photo('a'), message('t', { text: 'the sea', ...next })];
		viewing.open(all[0]!, { messages: all, older: async () => {} });
		return viewing.caption();
	};
	expect(of({})).toBe('the sea');
	const told = { ...photo('a'), file: { ...photo('a').file!, caption: 'c', text: 'the hill' } };
	viewing.open(told, { messages: [told, message('t', { text: 'the sea' })], older: async () => {} });
	expect(viewing.caption()).toBe('the hill');
	expect(of({ sender: 'eve@localhost' })).toBe('');
	expect(of({ time: '2026-01-01T11:00:00Z' })).toBe('');
	expect(of({ reply: { text: 'x' } })).toBe('');
});

test('what is under the fingers stays there while it grows, and nothing is lost beside', () => {
	const near = zoomed(whole, 2, { x: 100, y: 50 });
	expect(near).toEqual({ scale: 2, x: -100, y: -50 });
	expect(zoomed(near, 0.1, { x: 0, y: 0 })).toEqual(whole);
	expect(zoomed(whole, 100, { x: 0, y: 0 }).scale).toBe(8);
	expect(moved(near, -10_000, 0, { width: 400, height: 400 }).x).toBe(-200);
});

test('the gallery reads on until it has found something, or there is no more', async () => {
	const pages: Record<string, object> = {
		'': { event: 'page', chat: 'bob@localhost', messages: [message('m5'), message('m6')], more: true },
		m5: { event: 'page', chat: 'bob@localhost', messages: [photo('m3'), message('m4', { text: 'about it' })], more: true },
		m3: { event: 'page', chat: 'bob@localhost', messages: [message('m1')], more: false },
	};
	const engine = new FakeEngine({ history: ({ before }) => pages[before ?? '']! });
	const shelf = new Shelf(engine, 'bob@localhost');
	await shelf.older('image');
	expect([shelf.messages.map((m) => m.id), shelf.more]).toEqual([['m3', 'm4'], true]);
	await shelf.older('image');
	expect(shelf.more).toBe(false);
	const end = shelf.watch();
	engine.tell({ event: 'messageChanged', message: photo('m7'), new: true, after: 'm6' });
	engine.tell({ event: 'messageGone', chat: 'bob@localhost', message: 'm3' });
	expect(shelf.messages.map((m) => m.id)).toEqual(['m4', 'm7']);
	end();
});
