// What a screen reader is told besides what it reads: one polite voice for all.

let said = $state('');
let turn = false;

/** announce says it once, when the reader is free. */
export function announce(text: string) {
	turn = !turn;
	said = turn ? text : `${text}\u00a0`; // the same words twice are two announcements
}

export const announced = () => said;
