// The order of a conversation's messages: pure functions on lists, oldest first.

import type { Message, MessageChanged } from '../port/types';

type List = readonly Message[];

/** An Extent says which ends of the conversation a list has: its oldest message, its newest. */
export interface Extent {
	whole: boolean;
	end: boolean;
}

/**
 * placed is the list with what a MessageChanged tells. What stands before or behind a list that
 * does not reach that far is left for the page that will bring it.
 */
export function placed(list: List, change: MessageChanged, { whole, end }: Extent): List {
	const { message, after } = change;
	const at = list.findIndex((m) => m.id === message.id);
	if (at >= 0 && !moved(list, at, change)) return list.with(at, message);
	if (!change.new && at < 0) return list; // of a page that is not here
	const rest = at >= 0 ? list.toSpliced(at, 1) : list;
	if (!after) return whole ? [message, ...rest] : list;
	const before = rest.findIndex((m) => m.id === after);
	if (before < 0 || (before === rest.length - 1 && !end)) return list;
	return rest.toSpliced(before + 1, 0, message);
}

// moved says that a message is told to stand elsewhere than it does.
function moved(list: List, at: number, { new: fresh, after }: MessageChanged): boolean {
	return Boolean(fresh && after && list[at - 1]?.id !== after && list.some((m) => m.id === after));
}

/** joined puts an older page before what is there already, followed a newer one behind it. */
export const joined = (older: List, list: List): List => [...others(older, list), ...list];
export const followed = (list: List, newer: List): List => [...list, ...others(newer, list)];

function others(page: List, list: List): List {
	const here = new Set(list.map((m) => m.id));
	return page.filter((m) => !here.has(m.id));
}

export const without = (list: List, id: string): List => list.filter((m) => m.id !== id);
