// Words for what the engine says by keys: deliveries, notices, failures. What it says in
// English besides is not shown.

import { kindOf } from '../model/media';
import type { Contact, Delivery, Failure, File, Message } from '../port/types';
import { line, plain } from '../ui/bidi';
import { clock, day, daysAgo, lasting, number } from '../ui/time';
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

/** seenWords tells when somebody was last here, '' where that is not known. */
export function seenWords(contact: Contact | undefined, now: Date): string {
	if (!contact?.seen || contact.blocked) return '';
	const at = new Date(contact.seen);
	const time = clock(at, tag());
	return daysAgo(at, now) <= 0 ? m.people_seen_today({ time }) : m.people_seen({ day: day(at, now, tag()), time });
}

/** preview is a message in one line. */
export function preview(message: Message, room = false): string {
	const said = content(message);
	const by = room && !message.mine && !message.notice ? plain(message.name || message.sender.split('@')[0]!) : '';
	return by ? `${by}: ${said}` : said;
}

/** brief is as much of it as a row can show, which is all that a screen reader tells of it. */
export const brief = (message: Message, room = false) => preview(message, room).slice(0, 300);

function content(message: Message): string {
	if (message.notice) return noticeWords(message);
	if (message.retracted) return m.retracted();
	if (message.unreadable) return unreadableWords(message.unreadable);
	const text = line(message.text ?? '');
	if (text || !message.file) return text;
	const words = line(message.file.text ?? '');
	return [fileWords(message.file), words].filter(Boolean).join(' · ');
}

// a picture's name says nothing to people
function fileWords(file: File): string {
	const kind = kindOf(file);
	if (kind === 'image') return m.media_photo();
	if (kind === 'video') return m.media_video();
	return kind === 'audio' && /^voice\b/.test(file.name) ? m.voice_message() : plain(file.name);
}

/** albumWords is how many pictures were sent at once. */
export function albumWords(pictures: readonly Message[]): string {
	if (pictures.some((x) => x.file && kindOf(x.file) === 'video')) return m.media_album_mixed();
	return m.media_album({ count: pictures.length, n: number(pictures.length, tag()) });
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
		'asked-in': m.group_line_asked,
		'let-in': m.group_line_let_in,
		declined: m.group_line_declined,
		'asks-in': () => m.group_line_asks({ name }),
		'new-device': () => m.notice_new_device({ name }),
		changed: () => m.notice_changed({ name }),
		call: () => callWords(message.params ?? []),
		timer: () => timerWords(Number(message.params?.[0])),
	};
	return (words[message.notice ?? ''] ?? m.notice_other)();
}

// a call's ID, whose it was, with what, and how it ended
function callWords([, , what, why]: readonly string[]): string {
	if (why === 'missed') return what === 'video' ? m.calls_missed_video() : m.calls_missed_voice();
	return what === 'video' ? m.calls_video() : m.calls_voice();
}

const timerWords = (seconds: number) => (seconds > 0 ? m.notice_timer({ time: lasting(seconds, tag()) }) : m.notice_timer_off());

export function unreadableWords(why: string): string {
	if (why === 'before-joined') return m.unreadable_before();
	return why === 'tampered' || why === 'forged' ? m.unreadable_tampered() : m.unreadable();
}

/** told is a message as a screen reader says it in one go: whose, what, when, how far it has come. */
export function told(message: Message, { quoted = '', open = false, pictures = [] as readonly Message[] } = {}): string {
	const { mine, reply, retracted } = message;
	const parts = [
		mine ? m.from_you() : m.from({ name: plain(message.name || message.sender) }),
		reply && !retracted && m.told_reply({ name: plain(quoted), text: reply.text === undefined ? m.quote_missing() : line(reply.text) }),
		message.unreadable ? unreadableWords(message.unreadable) : (pictures.length === 0 || message.text) && content(message),
		pictures.length > 0 ? albumWords(pictures) : message.file && message.text && fileWords(message.file),
		message.edited && !retracted && m.edited(),
		!retracted && message.reactions?.length && message.reactions.map((r) => r.emoji).join(' '),
		message.starred && m.starred(),
		open && m.lock_open(),
		clock(new Date(message.time), tag()),
		mine && !retracted && delivery(message.delivery),
	];
	return parts.filter(Boolean).join('. ');
}

/** heard is a new message as it is announced: who, in which chat unless that is open, what. */
export function heard(message: Message, chat: { name: string; room?: boolean } | undefined, here: boolean): string {
	const who = plain(message.name || message.sender.split('@')[0]!);
	const where = chat?.room && !here ? `${plain(chat.name)}, ${who}` : who;
	return `${where}: ${content(message).slice(0, 200)}`;
}

/** failureWords is a failure for people: what it is, and never the engine's own text. */
export function failureWords({ code }: Failure): string {
	const words: Partial<Record<Failure['code'], () => string>> = {
		unreachable: m.failure_unreachable,
		'not-encrypted': m.failure_not_encrypted,
		'key-undecided': m.failure_key_undecided,
		refused: m.failure_refused,
		'too-large': m.failure_too_large,
		tampered: m.failure_tampered,
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
	if (message.lock.state === 'broken') return message.lock.why === 'alone' ? m.failure_alone() : m.failure_not_encrypted();
	if (message.lock.state === 'changed') return m.failure_key_undecided();
	if (message.file?.why) return failureWords({ code: message.file.why as Failure['code'], text: '' });
	return m.delivery_failed();
}
