// Speaking to somebody in a group by an @ before their name. The engine of who is meant
// finds it in the text, so what is written is a name that they go by there.

export interface Named {
	address: string;
	/** what they are called here */
	name: string;
	/** what they know themselves by */
	handle: string;
	picture?: string;
}

/** begun is the @word that is being written before the caret, undefined where there is none. */
export function begun(text: string, caret: number): { at: number; word: string } | undefined {
	const found = /(?:^|[\s([{«"'،])@([\p{L}\p{N}\p{M}_.-]{0,30})$/u.exec(text.slice(0, caret));
	return found ? { at: caret - found[1]!.length - 1, word: found[1]! } : undefined;
}

/** spoken is the text with the name in place of the word, and where the caret is then. */
export function spoken(text: string, at: number, caret: number, handle: string): { text: string; caret: number } {
	const name = `@${handle} `;
	const rest = text.slice(caret).replace(/^ /, '');
	return { text: text.slice(0, at) + name + rest, caret: at + name.length };
}
