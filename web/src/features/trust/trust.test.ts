import { expect, test } from 'vitest';
import { World } from '../../model/world';
import type { Chat, Device, Lock } from '../../port/types';
import { FakeEngine } from '../../port/fake';
import { Codes, namesOf } from './codes.svelte';
import { codesIn, compared, groups, lookOf, meaningOf, reasonOf, undecided } from './lock';
import { trust } from './index';

const vault = { read: async () => null, write: async () => {}, erase: async () => {} };
const code = 'ab'.repeat(32);
const device = (more: Partial<Device>): Device => ({ address: 'bob@x', id: 1, fingerprint: code, trust: 'first-use', active: true, ...more });
const chat = (lock: Lock, more: Partial<Chat> = {}): Chat => ({ address: 'bob@x', name: 'Bob', active: '2026-11-22T10:00:00Z', lock, ...more });

test('each state of the lock has its own sign or words, and is quiet only where all is well', () => {
	const states = ['locked', 'verified', 'changed', 'open', 'broken'] as const;
	const looks = states.map((state) => lookOf({ state }, 'Bob'));
	expect(new Set(looks.map((l) => l.short)).size).toBe(states.length);
	expect(looks.map((l) => l.tone)).toEqual(['quiet', 'quiet', 'warn', 'warn', 'danger']);
});

test('who cannot read yet is no alarm', () => {
	expect(lookOf({ state: 'broken', why: 'keys-waiting' }, 'Bob').tone).toBe('wait');
	expect(lookOf({ state: 'broken', why: 'no-device' }, 'Bob').tone).toBe('wait');
	expect(lookOf({ state: 'broken', why: 'alone' }, 'Bob').tone).toBe('wait');
	expect(lookOf({ state: 'broken', why: 'outside' }, 'Bob').tone).toBe('wait');
	expect(lookOf({ state: 'broken', why: 'no-key' }, 'Bob').tone).toBe('danger');
	expect(lookOf({ state: 'changed', why: 'keys-waiting' }, 'Bob').tone).toBe('warn');
});

test('a state that is not known is never shown as locked', () => {
	expect(lookOf({ state: '' as never }, 'Bob')).toMatchObject({ tone: 'wait', icon: 'clock' });
});

test('every reason of the engine that needs words has them', () => {
	for (const why of ['new-device', 'key-changed', 'foreign-key', 'no-key', 'key-refused', 'some-cannot-read', 'was-encrypted', 'switched-off', 'public-room', 'server']) {
		expect(reasonOf({ state: 'broken', why }, 'Bob')).not.toBe('');
	}
	expect(reasonOf({ state: 'open', why: 'plain' }, 'Bob')).toBe('');
});

test('a code is compared in groups of eight, and is found in the text of a safety code', () => {
	expect(groups(code)).toHaveLength(8);
	expect(codesIn(`xmpp:bob@x?omemo-sid-1=${code};omemo-sid-22=${'CD'.repeat(32)}`)).toEqual([code, 'cd'.repeat(32)]);
});

test('devices that are not used or not trusted do not count as left to compare', () => {
	const list = [device({ trust: 'verified' }), device({ active: false }), device({ trust: 'refused' }), device({ trust: 'undecided' })];
	expect(compared(list)).toEqual({ done: 1, all: 2 });
	expect(undecided(list)).toHaveLength(1);
});

test('a lock says what was compared, and what of one’s own was not', async () => {
	const say = (c: { done: number; all: number; own: number }, state: Lock['state'] = 'locked') => meaningOf({ state }, 'Bob', c, String);
	const none = say({ done: 0, all: 2, own: 0 });
	const [some, own] = [say({ done: 1, all: 2, own: 1 }), say({ done: 2, all: 2, own: 1 })];
	expect(new Set([none, some, own]).size).toBe(3);
	expect(some).toMatch(/1.*2/);
	expect(say({ done: 2, all: 2, own: 1 }, 'verified')).toBe(lookOf({ state: 'verified' }, 'Bob').meaning);

	const lists: Record<string, Device[]> = { 'bob@x': [device({ trust: 'verified' })], '': [device({ own: true, here: true }), device({ own: true, id: 2 }), device({ own: true, id: 3, trust: 'verified' })] };
	const engine = new FakeEngine({ listDevices: ({ address }) => ({ event: 'deviceList', devices: lists[address]! }) });
	const world = new World(engine, vault);
	engine.tell({ event: 'chatChanged', chat: chat({ state: 'locked' }) });
	const codes = new Codes(world, 'bob@x');
	await codes.load();
	expect(codes.own).toBe(1);
	engine.tell({ event: 'chatChanged', chat: chat({ state: 'verified' }) });
	await codes.load();
	expect(codes.own).toBe(0);
});

test('the banner stands only while something is to be decided', () => {
	const world = new World(new FakeEngine(), vault);
	expect(trust.banner!.when(world, chat({ state: 'changed' }))).toBe(true);
	for (const state of ['open', 'locked', 'verified', 'broken'] as const) expect(trust.banner!.when(world, chat({ state }))).toBe(false);
});

test('accepting takes what waits for a decision, and nothing else', async () => {
	const devices = [device({ id: 1, trust: 'refused' }), device({ id: 2, trust: 'undecided', fingerprint: 'cd'.repeat(32) }), device({ id: 3, trust: 'verified' })];
	const engine = new FakeEngine({ listDevices: () => ({ event: 'deviceList', devices }) });
	expect(await new Codes(new World(engine, vault), 'bob@x').accept()).toBeUndefined();
	const trusted = engine.asked.filter((c) => c.do === 'setTrust');
	expect(trusted).toEqual([{ do: 'setTrust', address: 'bob@x', fingerprint: 'cd'.repeat(32), trust: 'first-use' }]);
});

test('a decision that fails is told', async () => {
	const engine = new FakeEngine({
		listDevices: () => ({ event: 'deviceList', devices: [device({ trust: 'undecided' })] }),
		setTrust: () => ({ event: 'done', failure: { code: 'missing', text: '' } }),
	});
	expect((await new Codes(new World(engine, vault), 'bob@x').accept())?.code).toBe('missing');
});

test('names in a list keep their own direction and bring no marks of their own', () => {
	const engine = new FakeEngine();
	const world = new World(engine, vault);
	engine.tell({ event: 'chatChanged', chat: chat({ state: 'changed', missing: ['bob@x'] }, { name: 'Bo\u202eb' }) });
	expect(namesOf(world, 'bob@x')).toBe('\u2068Bob\u2069');
});
