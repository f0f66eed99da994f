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
	workers.dispatchEvent(new Event('controllerchange')); // another tab's doing
	expect(reload).not.toHaveBeenCalled();
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

test('a window in which the release before is still open says so when another window has taken the next, and begins anew by a tap', async () => {
	const registration = new Registration();
	const workers = container(registration, null);
	const reload = vi.fn();
	const update = new Update(workers as never, reload);
	await update.keep();
	workers.controller = {};
	workers.dispatchEvent(new Event('controllerchange')); // the first of all
	expect(update.waits).toBe(false);
	workers.controller = {};
	workers.dispatchEvent(new Event('controllerchange'));
	expect([update.waits, reload.mock.calls.length]).toEqual([true, 0]);
	update.take();
	expect(reload).toHaveBeenCalledTimes(1);
});
