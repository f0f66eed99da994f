// What a screen reader is told besides what it reads: one polite voice for all.

interface Line {
	id: number;
	text: string;
}

const stays = 10_000; // ms; who hears it has begun with it by then
const most = 6; // lines that wait: of a flood the last are told

let lines = $state.raw<readonly Line[]>([]);
let next = 0;

/** announce says it once, when the reader is free. */
export function announce(text: string) {
	const id = next++;
	lines = [...lines, { id, text }].slice(-most);
	setTimeout(() => (lines = lines.filter((l) => l.id !== id)), stays);
}

export const announced = () => lines;
