import type { Chat } from '../../port/types';

/** folded is a text as it is compared: without case, marks, vowel signs, and the shapes of alef. */
export const folded = (text: string): string =>
	text.normalize('NFKD').replace(/[\p{M}\u0640]/gu, '').replace(/[أإآٱ]/g, 'ا').replace(/ى/g, 'ي').toLocaleLowerCase();

/** matching are the chats whose name or address has all the words. */
export function matching(chats: Chat[], filter: string): Chat[] {
	const words = folded(filter).split(/\s+/).filter(Boolean);
	if (words.length === 0) return chats;
	return chats.filter((c) => {
		const name = folded(`${c.name} ${c.address}`);
		return words.every((w) => name.includes(w));
	});
}
