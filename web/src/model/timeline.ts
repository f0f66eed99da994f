// The order of a conversation's messages: pure functions on lists, oldest first.

import type { Message, MessageChanged } from '../port/types';

/**
 * placed is the list with what a MessageChanged tells. whole says that the list begins with
 * the oldest message that there is; what stands before a list that is not whole is left for
 * the page that will bring it.
 */
export function placed(list: readonly Message[], change: MessageChanged, whole: boolean): readonly Message[] {
	const { message, after } = change;
	const at = list.findIndex((m) => m.id === message.id);
	if (at >= 0 && !moved(list, at, change)) return list.with(at, message);
	const rest = at >= 0 ? list.toSpliced(at, 1) : list;
	if (!change.new && at < 0) return list; // of a page that is not here
	if (!after) return whole ? [message, ...rest] : list;
	const before = rest.findIndex((m) => m.id === after);
	if (before >= 0) return rest.toSpliced(before + 1, 0, message);
	return list;
}

// moved says that a message is told to stand elsewhere than it does.
function moved(list: readonly Message[], at: number, { new: fresh, after }: MessageChanged): boolean {
	return Boolean(fresh && after && list[at - 1]?.id !== after && list.some((m) => m.id === after));
}

/** joined puts an older page before what is there already. */
export function joined(older: readonly Message[], list: readonly Message[]): readonly Message[] {
	const here = new Set(list.map((m) => m.id));
	return [...older.filter((m) => !here.has(m.id)), ...list];
}

export const without = (list: readonly Message[], id: string): readonly Message[] => list.filter((m) => m.id !== id);
