// What a person has chosen of notifications. It is kept in this browser, for all its windows.

interface Kept {
	on: boolean;
	text: boolean;
	sound: boolean;
}

const key = 'mirsal notify';

export class Choices implements Kept {
	#kept = $state.raw<Kept>(read());

	constructor() {
		addEventListener('storage', (e: StorageEvent) => e.key === key && (this.#kept = read()));
	}

	/** on is that one wants to be told at all */
	get on() {
		return this.#kept.on;
	}
	/** text is that what was written is shown, not only by whom */
	get text() {
		return this.#kept.text;
	}
	get sound() {
		return this.#kept.sound;
	}

	change(change: Partial<Kept>) {
		this.#kept = { ...this.#kept, ...change };
		try {
			localStorage.setItem(key, JSON.stringify(this.#kept));
		} catch {
			// a window that keeps nothing has them for as long as it is there
		}
	}
}

function read(): Kept {
	const off = { on: false, text: false, sound: false };
	try {
		const { on, text, sound } = JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Kept>;
		return { on: on === true, text: text === true, sound: sound === true };
	} catch {
		return off;
	}
}
