import { expect, test, vi } from 'vitest';
import { FakeEngine } from '../port/fake';
import type { Chat } from '../port/types';
import { Chats } from './chats.svelte';
import { Connection } from './connection.svelte';
import { Drafts } from './drafts.svelte';
import { placeOf, written } from './route.svelte';
import { fresh, open, seal, Snapshots, type Snapshot } from './snapshot';

const chat = (address: string, active: string, more: Partial<Chat> = {}): Chat => ({ address, name: address, active, lock: { state: 'locked' }, ...more });

test('chats stand newest first, pinned before all, and those put away apart', async () => {
	const e = new FakeEngine({
		listChats: () => ({ chats: [chat('a', '2026-01-01T00:00:00Z', { pinned: 'x' }), chat('b', '2026-01-03T00:00:00Z'), chat('c', '2026-01-02T00:00:00Z', { archived: true })] }),
	});
	const chats = new Chats(e);
	await chats.load();
	expect(chats.list.map((c) => c.address)).toEqual(['a', 'b']);
	expect(chats.archived.map((c) => c.address)).toEqual(['c']);
	e.tell({ event: 'chatChanged', chat: chat('c', '2026-01-04T00:00:00Z', { unread: 2 }) });
	expect(chats.list.map((c) => c.address)).toEqual(['a', 'c', 'b']);
	expect(chats.unread).toBe(2);
	e.tell({ event: 'chatGone', address: 'c' });
	expect(chats.of('c')).toBeUndefined();
});

test('a muted chat is not counted', () => {
	const e = new FakeEngine();
	const chats = new Chats(e);
	e.tell({ event: 'chatChanged', chat: chat('a', '2026-01-04T00:00:00Z', { unread: 2, muted: '9999-01-01T00:00:00Z' }) });
	expect(chats.unread).toBe(0);
});

test('everything is asked anew of each engine, and of no engine without an account', () => {
	const e = new FakeEngine();
	const c = new Connection(e);
	const opened = vi.fn();
	c.onOpen(opened);
	e.state({ state: 'running', address: '' });
	expect(c.address).toBe('');
	e.state({ state: 'running', address: 'a@x' });
	e.tell({ event: 'status', state: 'online', address: 'a@x' });
	expect(opened.mock.calls).toEqual([[''], ['a@x']]);
	e.state({ state: 'attached' });
	e.tell({ event: 'status', state: 'online', address: 'a@x' });
	expect(opened).toHaveBeenCalledTimes(3);
	e.tell({ event: 'status', state: 'offline', address: 'a@x' });
	expect(opened).toHaveBeenCalledTimes(3);
});

test('a tab beside one that is not signed in offers to sign in', async () => {
	const e = new FakeEngine({ listChats: () => ({ failure: { code: 'not-signed-in', text: '' } }) });
	const c = new Connection(e);
	e.state({ state: 'attached' });
	await vi.waitFor(() => expect(c.address).toBe(''));
});

test('a draft is kept when writing has settled, and gone when it was sent', () => {
	vi.useFakeTimers();
	const e = new FakeEngine();
	const drafts = new Drafts(e, new Chats(e));
	drafts.change('c', { text: 'h' });
	drafts.change('c', { text: 'hello' });
	vi.advanceTimersByTime(1000);
	expect(e.asked).toMatchObject([{ do: 'draft', chat: 'c', text: 'hello' }]);
	drafts.clear('c');
	expect(e.asked.at(-1)).toMatchObject({ do: 'draft', chat: 'c', text: '' });
	expect(drafts.of('c').text).toBe('');
	vi.useRealTimers();
});

test('a place is read as it was written, whatever stands in it', () => {
	for (const place of [{ chat: 'bob@example.org', panel: 'members' }, { page: 'settings' }, { chat: 'a/b#c%@x', message: 'm 1' }, {}]) {
		expect(placeOf(written(place))).toEqual(place);
	}
	expect(placeOf('#/chat/%E0%A4%A/panel')).toEqual({});
	expect(placeOf('#/__proto__/x/constructor/y')).toEqual({});
});

const snapshot: Snapshot = { address: 'a@x', chats: [chat('b@x', '2026-01-01T00:00:00Z')], screens: {} };

test('a snapshot opens by its key alone, and says nothing sealed', async () => {
	const key = await fresh();
	const sealed = await seal(key, snapshot);
	expect(key.extractable).toBe(false);
	expect(new TextDecoder().decode(sealed.bytes)).not.toContain('b@x');
	expect(await open(key, sealed)).toEqual(snapshot);
	await expect(open(await fresh(), sealed)).rejects.toThrow();
	expect(await open(key, { ...sealed, form: 99 })).toBeNull();
});

test('a snapshot is written once when changes have settled', async () => {
	vi.useFakeTimers();
	const write = vi.fn(async () => {});
	const snapshots = new Snapshots({ read: async () => null, write, erase: async () => {} }, () => snapshot);
	for (let i = 0; i < 5; i++) snapshots.changed();
	await vi.advanceTimersByTimeAsync(5000);
	expect(write).toHaveBeenCalledTimes(1);
	vi.useRealTimers();
});

test('who has typed a wrong code where nobody was is still nobody', async () => {
	let engine: FakeEngine;
	const refused = { event: 'status', state: 'refused', address: 'bob@x', synced: false, failure: { code: 'wrong-password', text: '' } } as const;
	engine = new FakeEngine({
		signIn: () => {
			engine.tell({ event: 'status', state: 'connecting', address: 'bob@x', synced: false });
			engine.tell(refused);
			return { event: 'done', failure: refused.failure };
		},
	});
	const connection = new Connection(engine);
	engine.state({ state: 'running', address: '' });
	expect((await connection.signIn({ address: 'bob@x', password: 'wrong' }))?.code).toBe('wrong-password');
	expect([connection.address, connection.status.state]).toEqual(['', 'connecting']);
	engine.answers.signIn = () => ({ event: 'done' });
	await connection.signIn({ address: 'bob@x', password: 'right' });
	expect(connection.address).toBe('bob@x');
	engine.tell(refused); // from then on it is told
	expect(connection.status.state).toBe('refused');
});
