// What was chosen to be sent in a chat and is not yet.

export interface Choice {
	key: number;
	file: File;
}

const most = 30; // at once

export class Chosen {
	all = $state.raw<readonly Choice[]>([]);
	#last = 0;

	add(files: Iterable<File>) {
		const more = [...files].map((file) => ({ key: ++this.#last, file }));
		this.all = [...this.all, ...more].slice(0, most);
	}

	remove(key: number) {
		this.all = this.all.filter((c) => c.key !== key);
	}

	/** move puts one so many places further. */
	move(key: number, by: number) {
		const from = this.all.findIndex((c) => c.key === key);
		const to = from + by;
		if (from < 0 || to < 0 || to >= this.all.length) return;
		const next = [...this.all];
		next.splice(to, 0, ...next.splice(from, 1));
		this.all = next;
	}

	clear() {
		this.all = [];
	}
}

/** pasted are the files of a clipboard, none where it has text to paste. */
export function pasted(data: DataTransfer | null): File[] {
	if (!data || data.getData('text/plain')) return [];
	return [...data.files];
}
