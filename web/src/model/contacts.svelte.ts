// The people one knows, and those who ask to be known.

import type { Engine } from '../port/engine';
import type { Contact } from '../port/types';

export class Contacts {
	#byAddress = $state.raw<ReadonlyMap<string, Contact>>(new Map());
	#port: Engine;

	/** list is sorted by what is shown */
	readonly list = $derived([...this.#byAddress.values()].sort((a, b) => shown(a).localeCompare(shown(b))));
	/** asking are those who wait for an answer */
	readonly asking = $derived(this.list.filter((c) => c.state === 'asks'));

	constructor(port: Engine) {
		this.#port = port;
		port.on('contactChanged', ({ contact }) => this.#set(contact));
	}

	of(address: string): Contact | undefined {
		return this.#byAddress.get(address);
	}

	async load() {
		const { contacts } = await this.#port.do({ do: 'listContacts' });
		if (contacts) this.#byAddress = new Map(contacts.map((c) => [c.address, c]));
	}

	#set(contact: Contact) {
		const next = new Map(this.#byAddress);
		if (contact.state === 'none' && !contact.blocked) next.delete(contact.address);
		else next.set(contact.address, contact);
		this.#byAddress = next;
	}
}

/** shown is what a person is called: by oneself, by themselves, or the address without its host. */
export const shown = (c: { name?: string; nick?: string; address: string }): string => c.name || c.nick || c.address.split('@')[0]!;
