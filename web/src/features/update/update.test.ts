import { expect, test, vi } from 'vitest';
import { Update } from './update.svelte';

class Registration extends EventTarget {
	installing: (EventTarget & { state?: string }) | null = null;
	waiting: { postMessage: (text: string) => void } | null = null;
	update = async () => {};
}
const container = (registration: Registration, controller: object | null) => Object.assign(new EventTarget(), { controller, register: async () => registration });

test('a release that waits is told of, and is taken only by wish', async () => {
	const registration = new Registration();
	const workers = container(registration, {});
	const reload = vi.fn();
	const update = new Update(workers as never, reload);
	await update.keep();
	expect(update.waits).toBe(false);
	registration.installing = new EventTarget();
	registration.dispatchEvent(new Event('updatefound'));
	const postMessage = vi.fn();
	registration.waiting = { postMessage };
	registration.installing.dispatchEvent(new Event('statechange'));
	expect([update.waits, postMessage.mock.calls.length]).toEqual([true, 0]);
	update.take();
	expect(postMessage).toHaveBeenCalledWith('take over');
	workers.dispatchEvent(new Event('controllerchange'));
	expect(reload).toHaveBeenCalledTimes(1);
});

test('the first release of all is nothing new, and a window that keeps nothing has none', async () => {
	const registration = new Registration();
	registration.waiting = { postMessage: () => {} };
	const first = new Update(container(registration, null) as never);
	await first.keep();
	expect(first.waits).toBe(false);
	await new Update({ register: () => Promise.reject(new Error('private')) } as never).keep();
	await new Update(undefined).keep();
});

test('a window begins anew when another has taken the next release; one with a call says so, and does by a tap', async () => {
	const registration = new Registration();
	const workers = container(registration, null);
	const reload = vi.fn();
	const update = new Update(workers as never, reload);
	let busy = true;
	await update.keep(() => busy);
	const taken = () => {
		workers.controller = {};
		workers.dispatchEvent(new Event('controllerchange'));
	};
	taken(); // the first of all
	expect([update.waits, reload.mock.calls.length]).toEqual([false, 0]);
	taken();
	expect([update.waits, reload.mock.calls.length]).toEqual([true, 0]);
	update.take();
	expect(reload).toHaveBeenCalledTimes(1);
	busy = false;
	taken();
	expect(reload).toHaveBeenCalledTimes(2);
});
