import { afterEach, expect, test } from 'vitest';
import { Settings } from '../../model/settings.svelte';
import { World } from '../../model/world';
import { FakeEngine } from '../../port/fake';
import { Account } from './account.svelte';
import { most, small } from './picture';

const vault = { read: async () => null, write: async () => {}, erase: async () => {} };
const all = { receipts: true, readMarkers: true, typing: true };
const settled = () => new Promise((done) => setTimeout(done));

afterEach(() => localStorage.clear());

test('one thing that others are told changes, and the others stay', async () => {
	const engine = new FakeEngine({ getSettings: () => ({ event: 'settings', ...all }) });
	const account = new Account(new World(engine, vault));
	account.watch();
	await settled();
	await account.tell({ typing: false });
	expect(engine.asked.filter((c) => c.do === 'setSettings')).toEqual([{ do: 'setSettings', receipts: true, readMarkers: true, typing: false }]);
});

test('that one’s address is hidden stays when something else changes', async () => {
	const engine = new FakeEngine({ getSettings: () => ({ event: 'settings', ...all, hideAddress: true }) });
	const account = new Account(new World(engine, vault));
	account.watch();
	await settled();
	await account.tell({ typing: false });
	expect(engine.asked.findLast((c) => c.do === 'setSettings')).toMatchObject({ hideAddress: true, typing: false });
});

test('when one was last here is only changed where that is what changes', async () => {
	const engine = new FakeEngine({ getSettings: () => ({ event: 'settings', ...all, lastSeen: true }) });
	const account = new Account(new World(engine, vault));
	account.watch();
	await settled();
	await account.tell({ typing: false });
	await account.tell({ lastSeen: false });
	expect(engine.asked.filter((c) => c.do === 'setSettings').map((c) => c.lastSeen)).toEqual([undefined, false]);
	engine.tell({ event: 'settings', ...all, typing: false });
	expect(account.privacy?.lastSeen).toBe(false);
});

test('what could not be changed is shown as it was', async () => {
	const engine = new FakeEngine({ getSettings: () => ({ event: 'settings', ...all }), setSettings: () => ({ event: 'done', failure: { code: 'refused', text: '' } }) });
	const account = new Account(new World(engine, vault));
	account.watch();
	await settled();
	expect((await account.tell({ receipts: false }))?.code).toBe('refused');
	expect(account.privacy).toEqual(all);
});

test('a profile that changes elsewhere is shown here', async () => {
	const engine = new FakeEngine({ getProfile: () => ({ event: 'profile', name: 'Alice' }) });
	const account = new Account(new World(engine, vault));
	const over = account.watch();
	await settled();
	expect(account.name).toBe('Alice');
	engine.tell({ event: 'profile', name: 'Alice B.', avatar: 'h' });
	expect(account).toMatchObject({ name: 'Alice B.', avatar: 'h' });
	over();
	engine.tell({ event: 'profile', name: 'x' });
	expect(account.name).toBe('Alice B.');
});

test('a picture is made smaller until it fits, and never larger than it was', async () => {
	const tried: [number, number][] = [];
	const drawing = {
		side: 300,
		write: async (side: number, quality: number) => {
			tried.push([side, quality]);
			return new Blob([new Uint8Array(side < 250 ? 1000 : most + 1)]);
		},
	};
	expect(await small(drawing)).toMatchObject({ width: 240, height: 240 });
	expect(Math.max(...tried.map(([side]) => side))).toBe(300);
});

test('a picture that never fits is none', async () => {
	expect(await small({ side: 9000, write: async () => new Blob([new Uint8Array(most + 1)]) })).toBeUndefined();
	expect(await small({ side: 9000, write: async () => null })).toBeUndefined();
});

test('the size of text is kept', () => {
	new Settings().size = 112;
	expect(new Settings().size).toBe(112);
});
