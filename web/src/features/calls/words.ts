// Words for calls: where they stand, how they ended, how well they go, what their lock means.

import { m } from '../../i18n';
import { failureWords } from '../../i18n/words';
import { timed } from '../../model/media';
import type { Call, Lock } from '../../port/types';
import type { Sorry } from './live.svelte';
import type { Level } from './quality.svelte';

/** spoken is for how many seconds they spoke. */
export function spoken({ answered, ended }: Pick<Call, 'answered' | 'ended'>, now = Date.now()): number {
	if (!answered) return 0;
	return Math.max(0, ((ended ? Date.parse(ended) : now) - Date.parse(answered)) / 1000);
}

/** lasted is minutes and seconds, with hours where there are some, in a frame of their own direction. */
export function lasted(seconds: number, tag: string): string {
	const hours = Math.floor(seconds / 3600);
	if (hours === 0) return `\u2066${timed(seconds, tag)}\u2069`;
	const n = new Intl.NumberFormat(tag, { useGrouping: false }).format(hours);
	const rest = timed(seconds % 3600, tag);
	return `\u2066${n}:${rest.indexOf(':') === 1 ? new Intl.NumberFormat(tag).format(0) : ''}${rest}\u2069`;
}

/** spokenWords is that in words, as one remembers it: 40 sec, 12 min, 1 hr 5 min. */
export function spokenWords(seconds: number, tag: string): string {
	const unit = (n: number, unit: string) => new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short' }).format(n);
	if (seconds < 60) return unit(Math.max(1, Math.round(seconds)), 'second');
	const minutes = Math.round(seconds / 60);
	if (minutes < 60) return unit(minutes, 'minute');
	return [unit(Math.floor(minutes / 60), 'hour'), minutes % 60 && unit(minutes % 60, 'minute')].filter(Boolean).join(' ');
}

/** standWords is where a call stands that does not speak yet. */
export function standWords(call: Call): string {
	const words: Record<string, () => string> = { calling: m.calls_calling, ringing: m.calls_ringing, answering: m.calls_answering, connecting: m.calls_connecting };
	return words[call.state]?.() ?? '';
}

/** ringWords is what rings. */
export const ringWords = (call: Call): string => (call.video ? m.calls_incoming_video() : m.calls_incoming_voice());

/** endWords is how a call ended, '' where nobody needs to be told. */
export function endWords(call: Call, name: string, tag: string): string {
	const words: Record<string, () => string> = {
		missed: () => m.calls_missed_from({ name }),
		'answered-elsewhere': m.calls_elsewhere_answered,
		'declined-elsewhere': m.calls_elsewhere_declined,
		'peer-hung-up': () => m.calls_ended({ time: lasted(spoken(call), tag) }),
		'hung-up': () => m.calls_ended({ time: lasted(spoken(call), tag) }),
	};
	if (!call.answered && call.why?.endsWith('hung-up')) return '';
	return words[call.why ?? '']?.() ?? '';
}

/** sorryWords is why there is no call: what it is, and what to do. */
export function sorryWords({ call, failure, wrong, link }: Sorry, name: string): string {
	if (wrong) return { refused: m.voice_refused, missing: m.voice_missing, failed: m.voice_failed }[wrong]();
	if (failure) return failure.code === 'busy' ? m.calls_busy() : failure.code === 'key-undecided' ? m.calls_undecided({ name }) : failureWords(failure);
	const words: Record<string, () => string> = {
		rejected: () => m.calls_why_rejected({ name }),
		unanswered: () => (link ? m.calls_by_link_unanswered() : m.calls_why_unanswered({ name })),
		insecure: () => m.calls_why_insecure({ name }),
	};
	return (words[call?.why ?? ''] ?? m.calls_why_failed)();
}

export const blindWords = (why: 'refused' | 'missing' | 'failed'): string => ({ refused: m.calls_camera_refused, missing: m.calls_camera_missing, failed: m.calls_camera_failed })[why]();

/** entryWords is a call in the log: what became of it. */
export function entryWords(call: Pick<Call, 'why' | 'mine' | 'answered' | 'ended'>, tag: string): string {
	const seconds = spoken(call);
	if (seconds > 0) return spokenWords(seconds, tag);
	const words: Record<string, () => string> = {
		missed: m.calls_missed,
		declined: m.calls_declined,
		'declined-elsewhere': m.calls_declined,
		'answered-elsewhere': m.calls_elsewhere,
		cancelled: m.calls_cancelled,
		rejected: m.calls_rejected,
		unanswered: m.calls_unanswered,
		failed: m.calls_failed,
		insecure: m.calls_insecure,
	};
	return words[call.why ?? '']?.() ?? (call.mine ? m.calls_out() : m.calls_in());
}

export const levelWords = (level: Level): string => ({ good: m.calls_good, weak: m.calls_weak, lost: m.calls_lost })[level]();
export const levelMeaning = (level: Level): string => ({ good: m.calls_good_means, weak: m.calls_weak_means, lost: m.calls_lost_means })[level]();

/** lockWords is what binds a call's key to who it is. */
export function lockWords(lock: Lock | undefined, name: string): { icon: 'lock' | 'shield' | 'unlock' | 'clock'; short: string; means: string } {
	if (lock?.state === 'verified') return { icon: 'shield', short: m.calls_lock_verified(), means: m.calls_lock_verified_means({ name }) };
	if (lock?.state === 'locked') return { icon: 'lock', short: m.calls_lock_locked(), means: m.calls_lock_locked_means({ name }) };
	if (lock) return { icon: 'unlock', short: m.calls_lock_open(), means: m.calls_lock_open_means({ name }) };
	return { icon: 'clock', short: m.calls_lock_none(), means: m.calls_lock_none_means() };
}
