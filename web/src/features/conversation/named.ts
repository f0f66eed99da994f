// Who is spoken to in a group: a name behind an @, as a word of its own. It is found as the
// engine finds one's own (internal/client/mention.go), and none of it is on the wire.

export interface Called {
	from: number;
	to: number;
	/** it is oneself */
	own: boolean;
}

// A Letter is one of some names, with those that come next; own says of a name that ends here whether it is one's own.
interface Letter {
	next: Map<string, Letter>;
	own?: boolean;
}

const start = /(?<![\p{L}\p{Nd}\p{M}_])@/gu;
const inWord = /[\p{L}\p{Nd}\p{M}_]/u;
const longest = 100; // letters of a name; one has chosen it for oneself

/** Names are what people go by, of whom a text may speak. */
export class Names {
	#first: Letter = { next: new Map() };

	constructor(own: Iterable<string>, others: Iterable<string>) {
		for (const name of others) this.#add(name, false);
		for (const name of own) this.#add(name, true);
	}

	/** in finds them in a text, in their order. */
	in(text: string): Called[] {
		const found: Called[] = [];
		for (const { index } of text.matchAll(start)) {
			const called = index >= (found.at(-1)?.to ?? 0) && this.#at(text, index);
			if (called) found.push(called);
		}
		return found;
	}

	#add(name: string, own: boolean) {
		if (!name || name.length > longest) return;
		let at = this.#first;
		for (let i = 0; i < name.length; i++) {
			const letter = name[i]!.toLowerCase();
			const next = at.next.get(letter) ?? { next: new Map() };
			at.next.set(letter, next);
			at = next;
		}
		at.own = own;
	}

	// at is the longest name behind the @ at a place
	#at(text: string, from: number): Called | undefined {
		let found: Called | undefined;
		let at: Letter | undefined = this.#first;
		for (let to = from + 1; to < text.length; ) {
			at = at.next.get(text[to]!.toLowerCase());
			if (!at) break;
			to++;
			if (at.own !== undefined && !inWord.test(String.fromCodePoint(text.codePointAt(to) ?? 32))) found = { from, to, own: at.own };
		}
		return found;
	}
}
