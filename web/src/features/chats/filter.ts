import type { Chat } from '../../port/types';
import { folded } from '../../ui/fold';

/** matching are the chats whose name or address has all the words. */
export function matching(chats: Chat[], filter: string): Chat[] {
	const words = folded(filter).split(/\s+/).filter(Boolean);
	if (words.length === 0) return chats;
	return chats.filter((c) => {
		const name = folded(`${c.name} ${c.address}`);
		return words.every((w) => name.includes(w));
	});
}
