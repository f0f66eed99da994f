// Where one is: which chat, which panel beside it, which page in place of the list. It
// stands in the address after #, so that the browser's back leads to where one came from
// (on a phone, from a chat to the list).

export interface Place {
	/** the chat that is open */
	chat?: string;
	/** the panel beside it, or '' */
	panel?: string;
	/** what stands in place of the chat list, or '' */
	page?: string;
	/** the message to go to */
	message?: string;
}

export class Route {
	#place = $state.raw<Place>({});
	#depth = 0; // entries of the history that are ours

	constructor() {
		this.#read();
		addEventListener('popstate', () => this.#read());
		addEventListener('hashchange', () => this.#read());
	}

	get chat() {
		return this.#place.chat;
	}
	get panel() {
		return this.#place.panel;
	}
	get page() {
		return this.#place.page;
	}
	get message() {
		return this.#place.message;
	}

	/** open goes to a chat, without panel or page. */
	open(chat: string, message?: string) {
		this.go({ chat, message });
	}

	/** show opens a panel beside the chat. */
	show(panel: string) {
		this.go({ chat: this.chat, panel });
	}

	/** turn opens a page in place of the chat list; the chat stays. */
	turn(page: string) {
		this.go({ chat: this.chat, page });
	}

	go(place: Place) {
		const text = written(place);
		if (text === written(this.#place)) return void (this.#place = { ...place }); // the same message is gone to again
		// from chat to chat, and from a page that opened one, one does not collect steps: back
		// leads to the list
		const sideways = place.chat && (this.#place.chat || this.#place.page) && !place.panel && !place.page && this.#depth > 0;
		if (sideways) history.replaceState({ depth: this.#depth }, '', text);
		else history.pushState({ depth: ++this.#depth }, '', text);
		this.#place = place;
	}

	/** back goes up one step: from a panel to the chat, from a chat to the list. */
	back() {
		if (this.#depth > 0) return history.back();
		const { chat, panel, page } = this.#place;
		const up: Place = panel || page ? { chat } : {};
		history.replaceState({ depth: 0 }, '', written(up));
		this.#place = up;
	}

	#read() {
		this.#depth = (history.state as { depth?: number } | null)?.depth ?? 0;
		this.#place = placeOf(location.hash);
	}
}

/** placeOf reads #/chat/bob@example.org/panel/members and its like. */
export function placeOf(hash: string): Place {
	const parts = hash.replace(/^#\/?/, '').split('/').filter(Boolean);
	const place: Place = {};
	for (let i = 0; i + 1 < parts.length; i += 2) {
		const key = parts[i];
		const value = decoded(parts[i + 1]!);
		if (value && (key === 'chat' || key === 'panel' || key === 'page' || key === 'message')) place[key] = value;
	}
	return place;
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return '';
	}
}

export function written(place: Place): string {
	const keys = ['chat', 'panel', 'page', 'message'] as const;
	return '#/' + keys.flatMap((k) => (place[k] ? [k, encodeURIComponent(place[k]).replaceAll('%40', '@')] : [])).join('/');
}
