// What a lock means, in words: the engine's states (docs/protocol/engine.md, "The lock") and
// its reasons. Nothing here knows more than the engine says.

import { m } from '../../i18n';
import type { Device, Lock } from '../../port/types';
import type { IconName } from '../../ui/icons';

/** quiet is as it should be, wait is on its way; the others are to be seen. */
export type Tone = 'quiet' | 'wait' | 'warn' | 'danger';

export interface Look {
	tone: Tone;
	icon: IconName;
	/** in a few words */
	short: string;
	/** what it means */
	meaning: string;
}

// why a lock is broken where nothing is wrong: so every chat begins
const begins: Record<string, (name: string) => [short: string, meaning: string]> = {
	'keys-waiting': (name) => [m.trust_waiting_short(), m.trust_waiting({ name })],
	'no-device': (name) => [m.trust_none_short(), m.trust_none({ name })],
	alone: () => [m.trust_alone_short(), m.trust_alone()],
	outside: () => [m.trust_outside_short(), m.trust_outside()],
};

/** unready says that a lock is broken only because nobody can read yet, or one is not in the group. */
export const unready = (lock: Lock) => lock.state === 'broken' && (lock.why ?? '') in begins;

/** lookOf is a chat's lock to be shown; name is whose devices are missing or in question. */
export function lookOf(lock: Lock, name: string): Look {
	if (unready(lock)) {
		const [short, meaning] = begins[lock.why!]!(name);
		return { tone: 'wait', icon: 'clock', short, meaning };
	}
	switch (lock.state) {
		case 'locked':
			return { tone: 'quiet', icon: 'lock', short: m.trust_locked_short(), meaning: m.trust_locked() };
		case 'verified':
			return { tone: 'quiet', icon: 'shield', short: m.trust_verified_short(), meaning: m.trust_verified() };
		case 'changed':
			return { tone: 'warn', icon: 'warning', short: lock.why === 'new-device' ? m.trust_new_short() : m.trust_changed_short(), meaning: m.trust_changed() };
		case 'open':
			return { tone: lock.why === 'server' ? 'wait' : 'warn', icon: 'unlock', short: m.trust_open_short(), meaning: m.trust_open() };
		case 'broken':
			return { tone: 'danger', icon: 'warning', short: m.trust_broken_short(), meaning: m.trust_broken() };
		default:
			return { tone: 'wait', icon: 'clock', short: m.trust_unknown_short(), meaning: m.trust_unknown() };
	}
}

/** reasonOf is what is behind a lock, '' where its meaning says it already. */
export function reasonOf(lock: Lock, names: string): string {
	if (unready(lock)) return '';
	const words: Record<string, () => string> = {
		'new-device': () => m.trust_why_new({ names }),
		'key-changed': () => m.trust_why_changed({ names }),
		'foreign-key': () => m.trust_why_foreign({ names }),
		'no-key': () => m.trust_why_none({ names }),
		'key-refused': () => m.trust_why_refused({ names }),
		'some-cannot-read': () => m.trust_why_some({ names }),
		'was-encrypted': m.trust_why_was,
		'switched-off': m.trust_why_off,
		'others-encrypt': m.trust_why_others,
		'public-room': m.trust_why_public,
		server: m.trust_why_server,
	};
	return words[lock.why ?? '']?.() ?? '';
}

/** groups are a security code as people compare it: eight signs at a time. */
export const groups = (fingerprint: string): string[] => fingerprint.match(/.{1,8}/g) ?? [];

/** codesIn are the devices' codes that a safety code's text names. */
export function codesIn(code: string): string[] {
	return [...code.matchAll(/omemo-sid-\d+=([0-9a-f]{64})/gi)].map((found) => found[1]!.toLowerCase());
}

/** undecided are those that wait for a person. */
export const undecided = (devices: readonly Device[]) => devices.filter((d) => d.trust === 'undecided' && d.fingerprint && !d.here);

/** Compared is how far comparing has come in a chat: of the others' devices, and how many of one's own are left. */
export interface Compared {
	done: number;
	all: number;
	own: number;
}

/** meaningOf is what a lock means where it is known what was compared; numbers are written by n. */
export function meaningOf(lock: Lock, name: string, { done, all, own }: Compared, n: (count: number) => string): string {
	if (lock.state !== 'locked' || done === 0) return lookOf(lock, name).meaning;
	if (done < all) return m.trust_locked_some({ done: n(done), all: n(all) });
	return own ? m.trust_locked_own() : lookOf(lock, name).meaning;
}

/** compared counts how many devices in use were compared. */
export function compared(devices: readonly Device[]): { done: number; all: number } {
	const used = devices.filter((d) => d.active && d.trust !== 'refused');
	return { done: used.filter((d) => d.trust === 'verified').length, all: used.length };
}
