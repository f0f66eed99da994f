// What stands in a conversation's list: messages, and the lines between them. A file with the
// message that is its caption, pictures that were sent at once, and what was deleted at once stand as one.

import type { Delivery, LockState, Message, Reaction } from '../../port/types';
import { carries, fileOf } from '../../model/media';
import { daysAgo } from '../../ui/time';

export interface Said {
	kind: 'message';
	key: string;
	/** what is drawn: of several, with the words of the caption and all reactions, under the ID of one of them */
	message: Message;
	/** whose one bubble it is, oldest first */
	all: readonly Message[];
	first: boolean;
	last: boolean;
}

export type Row =
	| { kind: 'day'; key: string; at: string }
	| { kind: 'unread'; key: string }
	| { kind: 'notice'; key: string; message: Message }
	| Said;

const together = 5 * 60_000; // ms within which one sender's messages stand close

/** rowsOf is the list to draw. unread is the first message that was not seen. */
export function rowsOf(messages: readonly Message[], unread = ''): Row[] {
	const rows: Row[] = [];
	let before: Message | undefined; // of the same group, as far as one goes
	let previous: Message | undefined;
	for (const all of unitsOf(messages)) {
		const [message] = all as [Message];
		if (!previous || daysAgo(new Date(previous.time), new Date(message.time)) !== 0) {
			rows.push({ kind: 'day', key: `day ${message.id}`, at: message.time });
			before = undefined;
		}
		previous = all.at(-1)!;
		if (all.some((x) => x.id === unread)) {
			rows.push({ kind: 'unread', key: 'unread' });
			before = undefined;
		}
		if (message.notice) {
			rows.push({ kind: 'notice', key: message.id, message });
			before = undefined;
			continue;
		}
		const first = !before || !grouped(before, message);
		const over = rows.at(-1);
		if (!first && over?.kind === 'message') over.last = false;
		rows.push({ kind: 'message', key: message.id, message: oneOf(all), all, first, last: true });
		before = previous;
	}
	return rows;
}

/** rowOf is the row in which a message stands, alone or with others. */
export const rowOf = (rows: readonly Row[], id: string): Row | undefined =>
	rows.find((r) => r.key === id || (r.kind === 'message' && r.all.length > 1 && r.all.some((m) => m.id === id)));

/** albumOf are the pictures of a bubble that has more than one. */
export function albumOf(all: readonly Message[]): readonly Message[] {
	if (all.length < 2) return [];
	const pictures = all.filter(pictured);
	return pictures.length > 1 ? pictures : [];
}

const grouped = (a: Message, b: Message) => same(a, b) && close(a, b);
const same = (a: Message, b: Message) => a.sender === b.sender && a.mine === b.mine;
const close = (a: Message, b: Message) => Date.parse(b.time) - Date.parse(a.time) < together;
const pictured = (m: Message) => carries(m, 'image', 'video');

// unitsOf are the messages by bubble: those of an album one after the other, captions behind their files.
function unitsOf(messages: readonly Message[]): Message[][] {
	const captions = captionsOf(messages);
	const taken = new Set([...captions.values()].map((m) => m.id));
	const units: Message[][] = [];
	for (const m of messages) {
		if (taken.has(m.id)) continue;
		const unit = units.at(-1);
		const caption = captions.get(m.id);
		if (unit && joins(unit, m)) unit.push(m, ...(caption ? [caption] : []));
		else units.push(caption ? [m, caption] : [m]);
	}
	return units;
}

// captionsOf are the captions that are here, by the file's ID.
function captionsOf(messages: readonly Message[]): Map<string, Message> {
	const wanted = new Map<string, Message>(); // files by the caption's ID
	for (const m of messages) {
		const id = fileOf(m)?.caption;
		if (id && !wanted.has(id)) wanted.set(id, m);
	}
	const found = new Map<string, Message>();
	if (wanted.size === 0) return found;
	for (const m of messages) {
		const file = wanted.get(m.id);
		if (file && file !== m && same(file, m) && !m.file && !m.retracted && !m.notice) found.set(file.id, m);
	}
	return found;
}

function joins(unit: readonly Message[], m: Message): boolean {
	const last = unit.at(-1)!;
	if (last.notice || m.notice || !same(last, m) || daysAgo(new Date(last.time), new Date(m.time)) !== 0) return false;
	if (m.retracted) return Boolean(last.retracted) && close(last, m);
	const album = fileOf(m)?.album;
	// behind a caption another album begins
	return Boolean(album && !m.reply && pictured(m) && pictured(last) && last.file!.album === album && !last.file!.text);
}

const behind: readonly Delivery[] = ['failed', 'pending', 'sent', 'delivered', 'read', 'received'];

const doubtful: readonly LockState[] = ['broken', 'changed', 'open', 'locked', 'verified'];

// oneOf is what is drawn of several: it has come as far as the last of them.
function oneOf(all: readonly Message[]): Message {
	const about = all.find((m) => fileOf(m)?.text) ?? all[0]!;
	const words = about.file ? all.find((m) => !m.file) : undefined;
	const text = words?.text ?? fileOf(about)?.text;
	if (all.length === 1) return text && !about.text ? { ...about, text } : about;
	const worst = all.reduce((a, b) => (behind.indexOf(b.delivery) < behind.indexOf(a.delivery) ? b : a));
	return {
		...about,
		...(text ? { text } : {}),
		time: all.at(-1)!.time,
		delivery: worst.delivery,
		failure: worst.failure,
		lock: all.reduce((a, b) => (doubtful.indexOf(b.lock.state) < doubtful.indexOf(a.lock.state) ? b : a)).lock,
		reply: all.find((m) => m.reply)?.reply,
		edited: all.some((m) => m.edited),
		starred: all.some((m) => m.starred),
		reactions: reactionsOf(all),
	};
}

// reactionsOf are the signs on any of them, each with everybody once.
function reactionsOf(all: readonly Message[]): Reaction[] {
	const signs = new Map<string, Reaction>();
	for (const r of all.flatMap((m) => m.reactions ?? [])) {
		const there = signs.get(r.emoji);
		if (!there) signs.set(r.emoji, { ...r });
		else signs.set(r.emoji, { ...there, who: [...new Set([...(there.who ?? []), ...(r.who ?? [])])], mine: there.mine || r.mine });
	}
	return [...signs.values()];
}
