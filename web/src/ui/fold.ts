/** folded is a text as it is compared: without case, marks, vowel signs, and the shapes of alef. */
export const folded = (text: string): string =>
	text.normalize('NFKD').replace(/[\p{M}\u0640]/gu, '').replace(/[أإآٱ]/g, 'ا').replace(/ى/g, 'ي').toLocaleLowerCase();

/** has tells whether a text has all the words of a search. */
export const has = (text: string, search: string): boolean => {
	const where = folded(text);
	return folded(search).split(/\s+/).filter(Boolean).every((word) => where.includes(word));
};
