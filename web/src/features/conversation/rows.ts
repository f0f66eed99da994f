// What stands in a conversation's list: messages, and the lines between them.

import type { Message } from '../../port/types';
import { daysAgo } from '../../ui/time';

export type Row =
	| { kind: 'day'; key: string; at: string }
	| { kind: 'unread'; key: string }
	| { kind: 'notice'; key: string; message: Message }
	| { kind: 'message'; key: string; message: Message; first: boolean; last: boolean };

const together = 5 * 60_000; // ms within which one sender's messages stand close

/** rowsOf is the list to draw. unread is the first message that was not seen. */
export function rowsOf(messages: readonly Message[], unread = ''): Row[] {
	const rows: Row[] = [];
	let before: Message | undefined; // of the same group, as far as one goes
	for (const [i, message] of messages.entries()) {
		const previous = messages[i - 1];
		if (!previous || daysAgo(new Date(previous.time), new Date(message.time)) !== 0) {
			rows.push({ kind: 'day', key: `day ${message.id}`, at: message.time });
			before = undefined;
		}
		if (message.id === unread) {
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
		rows.push({ kind: 'message', key: message.id, message, first, last: true });
		before = message;
	}
	return rows;
}

const grouped = (a: Message, b: Message) => a.sender === b.sender && a.mine === b.mine && Date.parse(b.time) - Date.parse(a.time) < together;
