// Where the words that were looked for stand in a text, as the engine finds them: without
// regard to case and to marks above and below letters.

const folded = (text: string) => text.normalize('NFKD').replace(/[\p{M}\u0640]/gu, '').toLocaleLowerCase();

export interface Piece {
	text: string;
	hit: boolean;
}

const before = 40; // letters that are kept before the first hit

/** piecesOf cuts a text where the words stand; a long one begins shortly before the first. */
export function piecesOf(text: string, words: string): Piece[] {
	const line = text.replace(/\s+/g, ' ').trim();
	const spans = spansOf(line, folded(words).split(/\s+/).filter(Boolean));
	const start = spans[0] && spans[0][0] > before ? line.lastIndexOf(' ', spans[0][0] - before / 2) + 1 : 0;
	const pieces: Piece[] = start ? [{ text: '…', hit: false }] : [];
	let at = start;
	for (const [from, to] of spans) {
		if (from > at) pieces.push({ text: line.slice(at, from), hit: false });
		pieces.push({ text: line.slice(from, to), hit: true });
		at = to;
	}
	if (at < line.length) pieces.push({ text: line.slice(at), hit: false });
	return pieces;
}

// spansOf are from and to of each hit, in order, none over another.
function spansOf(line: string, words: string[]): [number, number][] {
	const letters: string[] = []; // folded; each letter of the line has one place, which may be empty
	const places: number[] = []; // of each folded letter in the line
	let at = 0;
	for (const letter of line) {
		const plain = folded(letter);
		letters.push(plain);
		for (let i = 0; i < plain.length; i++) places.push(at);
		at += letter.length;
	}
	const plain = letters.join('');
	const spans: [number, number][] = [];
	for (const word of words) {
		for (let i = plain.indexOf(word); i >= 0; i = plain.indexOf(word, i + word.length)) {
			spans.push([places[i]!, places[i + word.length] ?? line.length]);
		}
	}
	spans.sort((a, b) => a[0] - b[0]);
	return spans.filter(([from], i) => i === 0 || from >= spans[i - 1]![1]);
}
