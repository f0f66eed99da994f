const strong = /[\p{L}]/u;
const fromRight = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF]/u;

/** directionOf is that of a text's last line by its first letter, as dir=auto finds it. */
export function directionOf(text: string, otherwise: 'ltr' | 'rtl'): 'ltr' | 'rtl' {
	const letter = strong.exec(text.trimEnd().split('\n').at(-1) ?? '');
	return letter ? (fromRight.test(letter[0]) ? 'rtl' : 'ltr') : otherwise;
}

/** endsOnTimesSide says that the time may stand behind the text in its last line, which nothing in it turns. */
export function endsOnTimesSide(text: string, side: 'ltr' | 'rtl'): boolean {
	return directionOf(text, side) === side && !/[\u202A-\u202E\u2066-\u2069]/.test(text) && !text.trimEnd().endsWith('```');
}
