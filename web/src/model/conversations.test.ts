import { expect, test } from 'vitest';
import { FakeEngine } from '../port/fake';
import type { History, Message } from '../port/types';
import { Conversation, Conversations } from './conversations.svelte';

const message = (n: number): Message => ({ id: `m${n}`, chat: 'bob@x', sender: 'bob@x', time: new Date(n * 1000).toISOString(), delivery: 'received', lock: { state: 'locked' } });
const span = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => message(from + i));

// an engine whose chat has the messages m0 … m499
function engine() {
	return new FakeEngine({
		history({ before, after, around, limit }: History) {
			const n = (id: string) => Number(id.slice(1));
			const [from, to] = around
				? [Math.max(0, n(around) - limit / 2), Math.min(500, n(around) + limit / 2)]
				: after
					? [n(after) + 1, Math.min(500, n(after) + 1 + limit)]
					: [Math.max(0, (before ? n(before) : 500) - limit), before ? n(before) : 500];
			return { event: 'page', messages: span(from, to), more: from > 0, newer: to < 500 };
		},
	});
}

test('a conversation begins with the newest page and grows to the older side', async () => {
	const c = new Conversation(engine(), 'bob@x');
	await c.load();
	expect([c.messages[0]!.id, c.messages.at(-1)!.id]).toEqual(['m440', 'm499']);
	await c.loadOlder();
	expect([c.messages[0]!.id, c.messages.length, c.older]).toEqual(['m380', 120, true]);
	c.changed({ event: 'messageChanged', message: message(500), new: true, after: 'm499' });
	expect(c.messages.at(-1)!.id).toBe('m500');
});

test('what the list of chats knows is there until the page has come', async () => {
	const c = new Conversation(engine(), 'bob@x');
	const loading = c.load(message(499));
	expect(c.messages.map((x) => x.id)).toEqual(['m499']);
	await loading;
	expect(c.messages.length).toBe(60);
	await c.load(message(1));
	expect(c.messages.length).toBe(60);
});

test('who reads on has a window that moves, and finds everything again', async () => {
	const c = new Conversation(engine(), 'bob@x');
	await c.load();
	while (c.older) {
		await c.loadOlder();
		expect(c.messages.length).toBeLessThanOrEqual(360);
	}
	expect([c.messages[0]!.id, c.newer]).toEqual(['m0', true]);
	c.changed({ event: 'messageChanged', message: message(500), new: true, after: 'm499' });
	expect(c.of('m500')).toBeUndefined();
	while (c.newer) {
		await c.loadNewer();
		expect(c.messages.map((m) => Number(m.id.slice(1)))).toEqual(c.messages.map((_, i) => Number(c.messages[0]!.id.slice(1)) + i));
	}
	expect([c.messages.at(-1)!.id, c.older]).toEqual(['m499', true]);
	await Promise.all([c.loadOlder(), c.latest()]);
	expect([c.messages[0]!.id, c.newer]).toEqual(['m440', false]);
});

test('a far message is reached with those around it, and newer pages lead back', async () => {
	const c = new Conversation(engine(), 'bob@x');
	await c.load();
	expect(await c.reach('m100')).toBe(true);
	expect([c.messages[0]!.id, c.newer]).toEqual(['m70', true]);
	c.changed({ event: 'messageChanged', message: message(500), new: true, after: 'm499' });
	expect(c.of('m500')).toBeUndefined();
	while (c.newer) await c.loadNewer();
	expect(c.messages.at(-1)!.id).toBe('m499');
	expect(await c.reach('nowhere')).toBe(false);
});

test('a page is asked for once at a time', async () => {
	const e = engine();
	const c = new Conversation(e, 'bob@x');
	await Promise.all([c.load(), c.load(), c.load()]);
	expect(e.asked.length).toBe(1);
});

test('what is painted from the snapshot gives way to the page', async () => {
	const e = engine();
	const all = new Conversations(e);
	all.paint({ 'bob@x': [message(7)] });
	expect(all.of('bob@x').messages.length).toBe(1);
	expect(e.asked.length).toBe(0); // there is no engine yet
	all.again();
	await Promise.resolve().then(() => undefined);
	await new Promise((r) => setTimeout(r));
	expect(all.of('bob@x').messages.length).toBe(60);
});

test('a failure leaves what is there', async () => {
	const c = new Conversation(new FakeEngine({ history: () => ({ event: 'page', messages: null, failure: { code: 'internal', text: '' } }) }), 'x');
	c.messages = [message(1)];
	await c.load();
	expect([c.messages.length, c.failure?.code, c.loaded]).toEqual([1, 'internal', false]);
});

test('a chat that was opened before the engine had it is asked for again when it has', async () => {
	let known = false;
	const e = new FakeEngine({ history: () => (known ? { event: 'page', messages: span(0, 1) } : { event: 'page', failure: { code: 'no-such-chat', text: '' } }) });
	const c = new Conversations(e).of('bob@x');
	await c.load();
	expect([c.loaded, c.failure?.code]).toEqual([false, 'no-such-chat']);
	known = true;
	e.tell({ event: 'chatChanged', chat: { address: 'bob@x', name: 'bob', active: '2026-01-01T00:00:00Z', lock: { state: 'locked' } } });
	await expect.poll(() => c.loaded).toBe(true);
	expect([c.messages.length, c.failure]).toEqual([1, undefined]);
});
