// Words for what the engine says by keys: deliveries, notices, failures. What it says in
// English besides is not shown.

import { kindOf } from '../model/media';
import type { Delivery, Failure, File, Message } from '../port/types';
import { plain } from '../ui/bidi';
import { lasting } from '../ui/time';
import { m, tag } from './index';

export function delivery(state: Delivery): string {
	const words: Record<Delivery, () => string> = {
		pending: m.delivery_pending,
		sent: m.delivery_sent,
		delivered: m.delivery_delivered,
		read: m.delivery_read,
		failed: m.delivery_failed,
		received: () => '',
	};
	return words[state]();
}

/** preview is a message in one line. */
export function preview(message: Message, room = false): string {
	const said = content(message);
	const by = room && !message.mine && !message.notice ? plain(message.name || message.sender.split('@')[0]!) : '';
	return by ? `${by}: ${said}` : said;
}

function content(message: Message): string {
	if (message.notice) return noticeWords(message);
	if (message.retracted) return m.retracted();
	if (message.unreadable) return m.unreadable();
	const text = (message.text ?? '').replace(/\s+/g, ' ').trim();
	return text || (message.file ? fileWords(message.file) : '');
}

// a picture's name says nothing to people
function fileWords(file: File): string {
	const kind = kindOf(file);
	if (kind === 'image') return m.media_photo();
	if (kind === 'video') return m.media_video();
	return kind === 'audio' && /^voice\b/.test(file.name) ? m.voice_message() : plain(file.name);
}

export function noticeWords(message: Message): string {
	const name = plain((message.params?.[0] ?? '').split('@')[0]!);
	const words: Record<string, () => string> = {
		invited: m.notice_invited,
		'not-invited': () => m.notice_not_invited({ name }),
		banned: m.notice_banned,
		kicked: m.notice_kicked,
		removed: message.params?.length ? () => m.notice_device_removed({ name }) : m.notice_removed,
		destroyed: m.notice_destroyed,
		'member-added': () => m.notice_member_added({ name }),
		'member-removed': () => m.notice_member_removed({ name }),
		'members-changed': m.notice_members_changed,
		renamed: () => m.notice_renamed({ name: plain(message.params?.[0] ?? '') }),
		'new-device': () => m.notice_new_device({ name }),
		changed: () => m.notice_changed({ name }),
		timer: () => timerWords(Number(message.params?.[0])),
	};
	return (words[message.notice ?? ''] ?? m.notice_other)();
}

const timerWords = (seconds: number) => (seconds > 0 ? m.notice_timer({ time: lasting(seconds, tag()) }) : m.notice_timer_off());

export const unreadableWords = (why: string): string => (why === 'tampered' || why === 'forged' ? m.unreadable_tampered() : m.unreadable());

/** failureWords is a failure for people: what it is, and never the engine's own text. */
export function failureWords({ code }: Failure): string {
	const words: Partial<Record<Failure['code'], () => string>> = {
		unreachable: m.failure_unreachable,
		'not-encrypted': m.failure_not_encrypted,
		'key-undecided': m.failure_key_undecided,
		refused: m.failure_refused,
		'too-large': m.failure_too_large,
		missing: m.failure_missing,
		'no-such-chat': m.failure_missing,
		interrupted: m.failure_interrupted,
		'not-signed-in': m.failure_signed_out,
		revoked: m.failure_signed_out,
	};
	return (words[code] ?? m.failure_other)();
}

/** failureText says why one's own message did not go; its lock may know more. */
export function failureText(message: Message): string {
	if (message.lock.state === 'broken') return m.failure_not_encrypted();
	if (message.lock.state === 'changed') return m.failure_key_undecided();
	if (message.file?.why) return failureWords({ code: message.file.why as Failure['code'], text: '' });
	return m.delivery_failed();
}
