import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection } from '../../model/connection.svelte';
import type { World } from '../../model/world';
import { FakeEngine } from '../../port/fake';
import type { Device, Message } from '../../port/types';
import { WayBack } from './wayback.svelte';

beforeEach(() => {
	localStorage.clear();
	vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const own = (here: boolean): Device => ({ address: 'a@x', id: here ? 1 : 2, trust: 'verified', active: true, own: true, here });

function someone(newcomer: boolean, devices = [own(true)]) {
	const engine = new FakeEngine({ listDevices: () => ({ devices }) });
	const connection = new Connection(engine);
	connection.newcomer = newcomer;
	const wayback = new WayBack();
	wayback.start({ engine, connection } as unknown as World);
	engine.state({ state: 'running', address: 'a@x' });
	const say = (n: number) => {
		for (let i = 0; i < n; i++) engine.tell({ event: 'messageChanged', new: true, message: { id: `${i}`, mine: true } as Message });
	};
	return { wayback, engine, say };
}

test('a newcomer is offered a way back when the first messages are over, and not before', async () => {
	const { wayback, say } = someone(true);
	say(2);
	await vi.advanceTimersByTimeAsync(60_000);
	expect(wayback.offered).toBe(false);
	say(1);
	await vi.advanceTimersByTimeAsync(10_000);
	say(1);
	await vi.advanceTimersByTimeAsync(15_000);
	expect(wayback.offered).toBe(false);
	await vi.advanceTimersByTimeAsync(10_000);
	expect(wayback.offered).toBe(true);
	wayback.answered();
	const again = someone(false);
	again.say(5);
	await vi.advanceTimersByTimeAsync(60_000);
	expect(again.wayback.offered).toBe(false);
});

test('who has come by other ways, or has another device, is offered nothing', async () => {
	for (const { wayback, say } of [someone(false), someone(true, [own(true), own(false)])]) {
		say(5);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(wayback.offered).toBe(false);
		localStorage.clear();
	}
});

test('what another device has made is told until somebody has looked', () => {
	const { engine } = someone(false);
	engine.tell({ event: 'keyAlert', address: 'a@x', kind: 'recovery-code', label: 'Phone' });
	engine.tell({ event: 'keyAlert', address: 'b@x', kind: 'passkey', label: 'not mine' });
	engine.tell({ event: 'keyAlert', address: 'a@x', kind: 'passkey', label: 'Laptop', link: '1' });
	engine.tell({ event: 'keyAlert', address: 'a@x', kind: 'passkey', label: 'Laptop', link: '1' });
	const later = someone(false).wayback;
	expect(later.news).toEqual([{ kind: 'recovery-code', label: 'Phone' }, { kind: 'passkey', label: 'Laptop' }]);
	later.seen();
	expect(someone(false).wayback.news).toEqual([]);
});
