import { expect, test, vi } from 'vitest';
import { Connection } from '../../model/connection.svelte';
import { FakeEngine } from '../../port/fake';
import type { FailureCode, Status } from '../../port/types';
import { FailureState } from './failure.svelte';
import { skewOf, troubleOf, type Trouble } from './trouble';

const status = (state: string, code?: FailureCode): Status => ({ event: 'status', state, ...(code && { failure: { code, text: 'words of the engine' } }) });

test('each end of the engine has its page', () => {
	const ends: [string, Trouble][] = [
		['in-use: another one runs', 'in-use'],
		['storage: the browser keeps nothing', 'storage'],
		['gone: thrown away', 'reset'],
		['lost: the key', 'reset'],
		['old: locks', 'old'],
		['failed: HTTP status 503', 'broken'],
		['', 'broken'],
	];
	for (const [why, want] of ends) expect(troubleOf({ state: 'broken', why }, status('offline'))).toBe(want);
	expect(troubleOf({ state: 'running', address: '', reset: true }, status('offline'))).toBe('reset');
	expect(troubleOf({ state: 'ended' }, status('online'))).toBe('ended');
});

test('no network, another tab, and a server that starts again are no trouble', () => {
	for (const state of ['waiting', 'loading', 'running', 'attached'] as const) {
		for (const s of [status('offline', 'unreachable'), status('connecting'), status('online')]) expect(troubleOf({ state }, s)).toBeUndefined();
	}
});

test('a device that was taken off is told so, and its chats can still be looked at', () => {
	const engine = new FakeEngine();
	const connection = new Connection(engine);
	const state = new FailureState();
	engine.state({ state: 'running', address: 'a@x' });
	engine.tell({ ...status('refused', 'revoked'), address: 'a@x' });
	expect(state.gate({ connection })).toBe('signed-out');
	state.seen = 'signed-out';
	expect(state.gate({ connection })).toBeUndefined();
	expect(state.notice({ connection })).toBe('signed-out');
	engine.tell({ ...status('online'), address: 'a@x' });
	expect(state.notice({ connection })).toBeUndefined();
});

test('an engine that does not come leaves the chats that were painted', () => {
	const engine = new FakeEngine();
	const connection = new Connection(engine);
	const state = new FailureState();
	engine.state({ state: 'broken', why: 'failed: x' });
	expect(state.gate({ connection })).toBe('broken');
	connection.was('a@x');
	expect(state.gate({ connection })).toBeUndefined();
	expect(state.notice({ connection })).toBe('broken');
});

test('a clock is wrong by more than five minutes, or nothing is said', async () => {
	const now = Date.parse('2026-11-22T12:00:00Z');
	expect(skewOf('Sun, 22 Nov 2026 11:56:00 GMT', now)).toBe(0);
	expect(skewOf('Sun, 22 Nov 2026 11:00:00 GMT', now)).toBe(60);
	expect(skewOf('Sun, 22 Nov 2026 13:00:00 GMT', now)).toBe(-60);
	expect(skewOf(null, now)).toBe(0);
	const state = new FailureState();
	const ask = vi.fn(async () => ({ headers: new Headers({ Date: 'Sun, 22 Nov 1998 13:00:00 GMT' }) }));
	await state.clock(() => Promise.reject(new Error('offline')));
	await state.clock(ask);
	await state.clock(ask);
	expect([ask.mock.calls.length, state.skew > 0]).toEqual([1, true]);
});
