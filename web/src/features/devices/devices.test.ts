import { afterEach, expect, test } from 'vitest';
import { World } from '../../model/world';
import { FakeEngine } from '../../port/fake';
import type { Device } from '../../port/types';
import { Alerts } from './alerts.svelte';
import { Linking } from './linking.svelte';
import { ownOf } from './own.svelte';

const vault = { read: async () => null, write: async () => {}, erase: async () => {} };
const later = new Date(Date.now() + 3_600_000).toISOString();

afterEach(() => localStorage.clear());

function opened(engine = new FakeEngine()) {
	const world = new World(engine, vault);
	engine.state({ state: 'running', address: 'alice@x' });
	return { engine, world };
}

test('news of one’s own devices stay through a reload until they were seen', () => {
	const { engine, world } = opened();
	const first = new Alerts();
	first.start(world);
	engine.tell({ event: 'keyAlert', address: 'alice@x', kind: 'linked', label: 'Phone' });
	engine.tell({ event: 'keyAlert', address: 'bob@x', kind: 'new-device' });
	expect(first.list.map((a) => a.label)).toEqual(['Phone']);
	const next = new Alerts();
	next.start(opened().world);
	expect(next.list).toHaveLength(1);
	next.seen();
	const last = new Alerts();
	last.start(opened().world);
	expect(last.list).toEqual([]);
});

test('news of one account are not another’s', () => {
	localStorage.setItem('mirsal devices', JSON.stringify({ of: 'carol@x', alerts: [{ kind: 'linked' }] }));
	const alerts = new Alerts();
	alerts.start(opened().world);
	expect(alerts.list).toEqual([]);
});

test('what can still be refused is not over by being seen', () => {
	const { engine, world } = opened();
	const alerts = new Alerts();
	alerts.start(world);
	engine.tell({ event: 'keyAlert', address: 'alice@x', kind: 'linked', label: 'Phone', link: 'L', until: later });
	alerts.seen();
	expect(alerts.waiting(Date.now())).toHaveLength(1);
	alerts.refused('L');
	expect(alerts.list).toEqual([]);
});

function linking(engine = new FakeEngine({ linkShow: () => ({ event: 'code', text: 'mirsal:link?…', until: later }) })) {
	const { world } = opened(engine);
	const l = new Linking();
	l.start(world);
	return { engine, l };
}
const confirms = (engine: FakeEngine) => engine.asked.filter((c) => c.do === 'linkConfirm');

test('the code that is shown is an address of this site', async () => {
	const { l } = linking(new FakeEngine({ linkShow: () => ({ event: 'code', text: 'mirsal:link?a=alice%40x&t=$&', until: later }) }));
	await l.show();
	expect(l.code).toBe(`${location.origin}/#link=a=alice%40x&t=$&`);
});

test('nobody is let in without the digits that the new device shows', async () => {
	const { engine, l } = linking();
	await l.show();
	engine.tell({ event: 'linkAsked', label: 'Phone', check: '012 345' });
	expect(l.step).toBe('asked');
	for (const typed of ['', '   ', '12345', '012346', 'yes']) expect(await l.allow(typed)).toBe(false);
	expect(confirms(engine)).toEqual([]);
	expect(await l.allow('٠١٢ ٣٤٥')).toBe(true);
	expect(confirms(engine)).toEqual([{ do: 'linkConfirm', accept: true }]);
	expect(l.step).toBe('done');
});

test('an empty check lets nobody in', async () => {
	const { engine, l } = linking();
	await l.show();
	engine.tell({ event: 'linkAsked', label: 'Phone', check: '' });
	expect(await l.allow('')).toBe(false);
	expect(confirms(engine)).toEqual([]);
});

test('a refusal is said, and the end is the person’s own', async () => {
	const { engine, l } = linking();
	await l.show();
	engine.tell({ event: 'linkAsked', label: 'Phone', check: '012345' });
	await l.refuse();
	engine.tell({ event: 'linkState', state: 'failed', failure: { code: 'canceled', text: '' } });
	expect(confirms(engine)).toEqual([{ do: 'linkConfirm', accept: false }]);
	expect(l).toMatchObject({ step: 'over', failure: undefined });
});

test('the end of a former code is not that of the one that is asked for', async () => {
	const { engine, l } = linking();
	const shown = l.show();
	engine.tell({ event: 'linkState', state: 'failed', failure: { code: 'canceled', text: '' } });
	await shown;
	expect(l.step).toBe('code');
	engine.tell({ event: 'linkState', state: 'failed', failure: { code: 'missing', text: '' } });
	expect(l.step).toBe('over');
});

test('this device stands first, then those seen last; unused ones are not shown', () => {
	const device = (more: Partial<Device>): Device => ({ address: 'alice@x', id: 1, trust: 'first-use', active: true, ...more });
	const list = ownOf(
		[
			device({ id: 1, access: { client: 'a', last: '2026-11-01T00:00:00Z' } }),
			device({ id: 2, here: true, trust: 'verified' }),
			device({ id: 3, active: false }),
			device({ id: 4, access: { client: 'b', last: '2026-11-20T00:00:00Z', name: 'Phone', software: 'Conversations' } }),
		],
		[{ client: 'c', name: 'Old', last: '2026-11-10T00:00:00Z' }],
	);
	expect(list.map((d) => d.id ?? d.client)).toEqual([2, 4, 'c', 1]);
	expect(list[1]).toMatchObject({ label: 'Phone', software: 'Conversations' });
});
