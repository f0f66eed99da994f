// What keeps Mirsal from going on here, found from what the engine says of itself.

import type { EngineState } from '../../port/engine';
import type { Status } from '../../port/types';

/**
 * A Trouble is one of: the browser is too old; it keeps nothing (a private window); the engine does
 * not start; another window has it; the browser has thrown away what it kept; this device was signed
 * out from elsewhere; it was signed out in another window.
 */
export type Trouble = 'old' | 'storage' | 'broken' | 'in-use' | 'reset' | 'signed-out' | 'ended';

const byReason: Record<string, Trouble> = { old: 'old', storage: 'storage', gone: 'reset', lost: 'reset', 'in-use': 'in-use' };
const out = ['revoked', 'wrong-password', 'not-signed-in'];

/** troubleOf is undefined as long as all goes on by itself; being offline is no trouble. */
export function troubleOf(engine: EngineState, status: Status): Trouble | undefined {
	if (engine.state === 'broken') return byReason[engine.why?.split(':')[0] ?? ''] ?? 'broken';
	if (engine.state === 'ended') return 'ended';
	if (engine.state === 'running' && engine.reset) return 'reset';
	if (status.state === 'refused' && out.includes(status.failure?.code ?? '')) return 'signed-out';
	return undefined;
}

/** whole says that a trouble takes the screen, though there are chats that could be looked at. */
export const whole = (trouble: Trouble): boolean => !['broken', 'in-use'].includes(trouble);

/** skewOf is by how many minutes this clock is fast (or, below 0, slow), 0 where that matters to nobody. */
export function skewOf(date: string | null, now: number): number {
	const there = Date.parse(date ?? '');
	const minutes = Math.round((now - there) / 60_000);
	return Math.abs(minutes) > 5 ? minutes : 0;
}
